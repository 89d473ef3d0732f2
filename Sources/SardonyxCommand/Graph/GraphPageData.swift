import Foundation
import GraphIR
import Sardonyx

/// What the page draws, as JSON; `Page/model.js` says how it reads it.
struct GraphPageData {
    let picture: ModelPicture
    let sheets: GraphSheets
    let report: ModelReport
    let profile: Profile?
    let title: String

    func json() -> [UInt8] {
        var json = JSONText()
        json.object { json in
            json.key("title")
            json.string(title)
            json.key("about")
            writeAbout(&json)
            json.key("kinds")
            json.array(OperatorClass.allCases) { json, kind in
                json.array {
                    $0.string(kind.rawValue)
                    $0.string(kind.color)
                }
            }
            json.key("sheets")
            json.array(sheets.sheets, writeSheet)
            json.key("plan")
            json.int(sheets.plan)
            if let plan = picture.plan {
                json.key("memory")
                writeMemory(plan, &json)
            }
            json.key("weights")
            json.array(picture.weights, Self.writeWeight)
            if let profile {
                json.key("profile")
                Self.writeProfile(profile, &json)
            }
        }
        return json.bytes
    }

    // MARK: The model

    private func writeAbout(_ json: inout JSONText) {
        json.object { json in
            func list(_ key: String, _ texts: [String]) {
                json.key(key)
                json.array(texts) { $0.string($1) }
            }
            func pairs(_ key: String, _ pairs: [(String, String)]) {
                json.key(key)
                json.array(pairs) { json, pair in
                    json.array {
                        $0.string(pair.0)
                        $0.string(pair.1)
                    }
                }
            }
            json.key("ir")
            json.int(report.irVersion)
            json.key("producer")
            json.string(report.producer)
            pairs("opsets", report.opsets.sorted { $0.key < $1.key }.map { ($0.key, "\($0.value)") })
            pairs("metadata", report.metadata.sorted { $0.key < $1.key })
            list("inputs", report.inputs)
            list("outputs", report.outputs)
            list("problems", picture.problems)
            list(
                "missing",
                report.operators.filter { !$0.isAvailable }.map { Domains.qualified($0.name, in: $0.domain) })
            json.key("parameters")
            json.int(report.parameterCount)
            json.key("parameterBytes")
            json.int(report.parameterByteCount)
            json.key("nodes")
            json.int(report.nodes.count)
            json.key("macs")
            json.int(report.multiplyAccumulates)
        }
    }

    // MARK: Graphs

    private func writeSheet(_ json: inout JSONText, _ sheet: GraphSheets.Sheet) {
        let graph = sheet.drawing.report
        json.object { json in
            json.key("name")
            json.string(graph.name)
            if let owner = sheet.owner {
                json.key("owner")
                json.array {
                    $0.int(owner.sheet)
                    $0.int(owner.node)
                    $0.string(owner.attribute)
                }
            }
            if let function = sheet.function {
                json.key("function")
                json.string(function)
            }
            json.key("values")
            json.array(graph.values) { json, value in
                json.array {
                    $0.string(value.name)
                    $0.string(value.type)
                    $0.string(value.layout == "plain" ? "" : value.layout)
                    $0.int(value.byteCount)
                    $0.bool(value.isConstant)
                    $0.int(value.weight)
                }
            }
            json.key("nodes")
            json.array(graph.nodes.indices) { json, index in
                Self.writeNode(graph.nodes[index], sheet.bodies[index], &json)
            }
            for (key, values) in [("inputs", graph.inputs), ("outputs", graph.outputs), ("captures", graph.captures)] {
                json.key(key)
                json.array(values) { $0.int($1) }
            }
            json.key("items")
            json.array(sheet.drawing.items.indices) { json, index in writeItem(sheet.drawing, index, &json) }
            json.key("groups")
            json.array(sheet.drawing.layout.groups, Self.writeGroup)
            json.key("lines")
            json.array(sheet.drawing.layout.lines) { json, line in
                Self.writeLine(line, itemCount: sheet.drawing.items.count, &json)
            }
        }
    }

    private static func writeNode(_ node: GraphReport.Node, _ bodies: [Int], _ json: inout JSONText) {
        json.array { json in
            json.string(node.name)
            json.string(node.domain)
            json.string(node.operatorName)
            json.string(node.algorithm)
            json.array(node.inputs) { $0.int($1) }
            json.array(node.outputs) { $0.int($1) }
            json.array(node.attributes) { json, attribute in
                json.string(attribute.name)
                json.string(attribute.value)
            }
            json.int(node.multiplyAccumulates)
            json.int(node.byteCount)
            json.array(node.origins) { $0.int($1) }
            json.int(node.step)
            json.array(bodies) { $0.int($1) }
        }
    }

    private func writeItem(_ drawing: GraphDrawing, _ index: Int, _ json: inout JSONText) {
        let (item, place, size) = (drawing.items[index], drawing.layout.places[index], drawing.layout.sizes[index])
        json.array {
            switch item.subject {
            case .node(let node):
                $0.int(0)
                $0.int(node)
            case .input(let value):
                $0.int(1)
                $0.int(value)
            case .capture(let value):
                $0.int(2)
                $0.int(value)
            case .output(let value):
                $0.int(3)
                $0.int(value)
            }
            $0.string(item.title)
            $0.string(item.subtitle)
            $0.int(item.kind.flatMap { OperatorClass.allCases.firstIndex(of: $0) })
            $0.int(drawing.layout.groupOfItem[index])
            $0.int(place.row)
            $0.length(place.x)
            $0.length(size.width)
            $0.length(size.height)
        }
    }

    private static func writeGroup(_ json: inout JSONText, _ group: GraphLayout.Group) {
        json.array {
            $0.string(group.title)
            $0.int(group.parent)
            $0.int(group.place.row)
            $0.length(group.place.x)
            $0.length(group.size.width)
            $0.length(GraphLayout.closedWidth(title: group.title))
            $0.array(group.gaps) { $0.length($1) }
            $0.bool(group.kind.isShapes)
        }
    }

    private static func writeLine(_ line: GraphLayout.Line, itemCount: Int, _ json: inout JSONText) {
        func end(_ end: GraphLayout.End) -> Int {
            switch end {
            case .item(let item): item
            case .group(let group): itemCount + group
            case .port: -1
            }
        }
        json.array { json in
            json.int(line.group)
            json.int(line.value)
            json.int(end(line.source))
            json.int(line.sourceRow)
            json.length(line.sourceX)
            json.array(line.bends) { $0.length($1) }
            json.array(line.targets) { json, target in
                json.int(end(target.end))
                json.int(target.row)
                json.length(target.x)
            }
        }
    }

    // MARK: Memory, weights, times

    private func writeMemory(_ plan: PlanReport, _ json: inout JSONText) {
        json.object { json in
            json.key("steps")
            json.int(plan.stepCount)
            json.key("arena")
            json.int(plan.arenaByteCount)
            json.key("peak")
            json.int(plan.peakByteCount)
            json.key("buffers")
            json.array(plan.buffers) { json, buffer in
                json.array {
                    $0.int(buffer.byteOffset)
                    $0.int(buffer.byteCount)
                    $0.int(buffer.firstStep)
                    $0.int(buffer.lastStep)
                    $0.array(buffer.values) { $0.int($1) }
                }
            }
        }
    }

    private static func writeWeight(_ json: inout JSONText, _ weight: WeightReport) {
        json.array { json in
            json.string(weight.type)
            json.int(weight.elementCount)
            json.array([weight.minimum, weight.maximum, weight.mean, weight.standardDeviation]) { $0.number($1) }
            json.array([weight.zeroCount, weight.nanCount, weight.infinityCount]) { $0.int($1) }
            json.array(weight.histogram) { $0.int($1) }
            json.array(weight.elements) { $0.string($1) }
            json.array { json in
                guard let picture = weight.picture else { return }
                json.string(picture.kind.rawValue)
                json.array([picture.count, picture.height, picture.width, picture.columns]) { $0.int($1) }
                json.string(Data(picture.dots).base64EncodedString())
            }
        }
    }

    private static func writeProfile(_ profile: Profile, _ json: inout JSONText) {
        json.object { json in
            json.key("isa")
            json.string(profile.machine.isa)
            json.key("threads")
            json.int(profile.machine.threads)
            json.key("rounds")
            json.int(profile.rounds)
            json.key("milliseconds")
            json.number(profile.run.milliseconds)
            json.key("outside")
            json.number(profile.outsideMilliseconds)
            json.key("peaks")
            json.array([profile.machine.fmaGMACsPerSecond, profile.machine.readGBPerSecond]) { $0.number($1) }
            json.key("steps")
            json.array(profile.steps) { json, step in
                json.array([
                    step.cost.milliseconds, step.cost.executedGMACsPerSecond, step.cost.fractionOfPeak,
                    step.cost.gbPerSecond, step.cost.fractionOfBandwidth, Double(step.threads), step.imbalance,
                    step.cost.boundMilliseconds,
                ]) { $0.number($1) }
            }
        }
    }
}

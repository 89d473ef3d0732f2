import Sardonyx

/// A graph in the language of Graphviz, with its groups as clusters: `dot -Tsvg` draws it.
struct GraphDot {
    private let drawing: GraphDrawing
    private var lines: [String] = []

    static func render(_ drawing: GraphDrawing, title: String) -> String {
        var dot = GraphDot(drawing)
        dot.write(title)
        return dot.lines.joined(separator: "\n") + "\n"
    }

    private init(_ drawing: GraphDrawing) { self.drawing = drawing }

    private mutating func write(_ title: String) {
        lines.append("digraph \(Self.quoted(title)) {")
        lines.append("  rankdir=TB; nodesep=0.25; ranksep=0.4;")
        lines.append(
            "  node [shape=box, style=\"rounded,filled\", fontname=Helvetica, fontsize=11, color=\"#98a2b3\"];")
        lines.append("  edge [color=\"#667085\", arrowsize=0.6, fontname=Helvetica, fontsize=9];")
        // Groups without recursion: a group is closed when its members are written.
        var pending: [(group: Int, next: Int)] = [(0, 0)]
        while let (group, next) = pending.last {
            let members = drawing.layout.groups[group].members
            let indent = String(repeating: "  ", count: pending.count)
            guard next < members.count else {
                pending.removeLast()
                if !pending.isEmpty { lines.append(indent.dropLast(2) + "}") }
                continue
            }
            pending[pending.count - 1].next += 1
            switch members[next] {
            case .item(let item): lines.append(indent + node(item))
            case .group(let inner):
                let entry = drawing.layout.groups[inner]
                lines.append(indent + "subgraph cluster_\(inner) {")
                lines.append(
                    indent + "  label=\(Self.quoted(entry.title)); labeljust=l; "
                        + "style=\(entry.kind.isBody ? "\"rounded,dashed\"" : "rounded"); color=\"#98a2b3\"; fontname=Helvetica; fontsize=11;"
                )
                pending.append((inner, 0))
            }
        }
        writeEdges()
        lines.append("}")
    }

    private func node(_ item: Int) -> String {
        let entry = drawing.items[item]
        let label = entry.subtitle.isEmpty ? entry.title : entry.title + "\n" + entry.subtitle
        return "n\(item) [label=\(Self.quoted(label)), tooltip=\(Self.quoted(entry.tip)), "
            + "fillcolor=\"\(entry.kind?.color ?? "#e7eaf0")\"" + (entry.kind == nil ? ", shape=oval" : "") + "];"
    }

    private mutating func writeEdges() {
        for edge in drawing.edges {
            let name = drawing.names[edge.value]
            lines.append("  n\(edge.from) -> n\(edge.to) [tooltip=\(Self.quoted(name))];")
        }
    }

    /// A string of the language: quotes and backslashes are escaped, line ends written, other control characters left out.
    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case _ where scalar.value < 0x20 || scalar.value == 0x7f: result += " "
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}

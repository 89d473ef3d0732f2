import Foundation
import FoundationXML
import Sardonyx
import TestSupport
import Testing

@testable import SardonyxCommand

/// The forms in which the command shows a profile of two convolutions and a Softmax.
@Suite(.serialized) struct ProfileOutputTests {
    private static let profile = Result {
        func weight(_ name: String, _ dims: [Int]) -> Message {
            tensor(name, dims: dims, .bytes(9, little((0..<dims.reduce(1, *)).map { Float($0 % 5) * 0.01 })))
        }
        let input = Message.message(11, value("x", extents: [.int(1, 1), .int(1, 16), .int(1, 24), .int(1, 20)]))
        let nodes = [
            node("Conv", ["x", "a"], ["c"], .text(3, "/layer1/a<b>&\"c\"/Conv")),
            node("Conv", ["c", "b"], ["d"], .text(3, "/layer1/\(String(repeating: "long", count: 30))/Conv")),
            node("Softmax", ["d"], ["y"]),
        ]
        let bytes = model(
            graph(
                nodes, outputs: [], initializers: [weight("a", [32, 16, 3, 3]), weight("b", [16, 32, 1, 1])],
                more: [input, .message(12, value("y", extents: nil))]))
        let session = try Model(bytes: bytes).session(SessionOptions(threads: 2))
        let x = try Tensor((0..<7680).map { Float($0 % 13) * 0.1 }, dims: [1, 16, 24, 20])
        return try session.profile(["x": x], rounds: 3, warmUp: 1)
    }

    @Test(arguments: [80, 120]) func linesFitTheTerminal(width: Int) throws {
        let text = ProfileText(try Self.profile.get(), title: "m.onnx", width: width).render(.time, top: .max)
        for line in text.split(separator: "\n") { #expect(line.count <= width, "\(line)") }
        for part in ["m.onnx: ", "2 threads", "GMAC/s", "Conv", "Softmax", "reorders: ", "2.03 M MACs"] {
            #expect(text.contains(part), "\(part) in \(text)")
        }
    }

    @Test func theRestIsSummedUp() throws {
        let profile = try Self.profile.get()
        let text = ProfileText(profile, title: "m", width: 120).render(.schedule, top: 1)
        #expect(text.contains("and \(profile.steps.count - 1) more nodes"))
    }

    @Test(arguments: ProfileOrder.allCases) func everyOrderKeepsAllSteps(order: ProfileOrder) throws {
        let steps = try Self.profile.get().steps
        #expect(Set(order.sorted(steps)) == Set(steps))
        if order == .schedule { #expect(order.sorted(steps) == steps) }
    }

    /// The Trace Event Format: an object with `traceEvents`; complete events have `ts` and `dur`, all have
    /// `name`, `ph`, `pid` and `tid`.
    @Test func theTraceIsWellFormed() throws {
        let profile = try Self.profile.get()
        let text = try Console.json(ProfileTrace(profile, title: "m.onnx"))
        let object = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        let events = try #require(object["traceEvents"] as? [[String: Any]])
        var lanes: [Int: [(start: Double, end: Double)]] = [:]
        for event in events {
            let phase = try #require(event["ph"] as? String)
            #expect(event["name"] is String && event["pid"] is Int && ["X", "M", "C"].contains(phase))
            let lane = try #require(event["tid"] as? Int)
            guard phase == "X" else { continue }
            let (start, duration) = (try #require(event["ts"] as? Double), try #require(event["dur"] as? Double))
            #expect(start >= 0 && duration >= 0)
            lanes[lane, default: []].append((start, start + duration))
        }
        #expect(lanes[0]?.count == profile.steps.count)
        #expect(lanes.keys.allSatisfy { (0...2).contains($0) })
        for spans in lanes.values {
            for (before, after) in zip(spans, spans.dropFirst()) { #expect(before.end <= after.start + 1e-6) }
        }
        let named = events.filter { $0["name"] as? String == "thread_name" }
        #expect(named.count == 3)
    }

    /// Parsed as XML; every rectangle lies on the canvas.
    @Test func thePictureIsWellFormed() throws {
        let profile = try Self.profile.get()
        let svg = ProfilePicture.render(profile, title: "m<&>.onnx")
        let check = PictureCheck()
        let parser = XMLParser(data: Data(svg.utf8))
        parser.delegate = check
        #expect(parser.parse(), "\(String(describing: parser.parserError))")
        #expect(check.faults.isEmpty, "\(check.faults)")
        #expect(check.counts["rect", default: 0] > 3 * profile.steps.count)
        #expect(check.counts["circle"] == 2)
        for part in ["m&lt;&amp;&gt;.onnx", "a&lt;b&gt;&amp;&quot;c&quot;", "Roofline", "Softmax"] {
            #expect(svg.contains(part), "\(part)")
        }
    }

    private final class PictureCheck: NSObject, XMLParserDelegate {
        var counts: [String: Int] = [:]
        var faults: [String] = []

        func parser(
            _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
            attributes: [String: String]
        ) {
            counts[name, default: 0] += 1
            guard name == "rect", let x = attributes["x"].flatMap(Double.init) else { return }
            let width = attributes["width"].flatMap(Double.init) ?? -1
            if x < 0 || width < 0 || x + width > 1200 { faults.append("\(attributes)") }
        }
    }

    @Test func jsonMayFollowOrLackAFile() throws {
        #expect(try ProfileCommand.parse(["m.onnx", "--json"]).json == "-")
        #expect(try ProfileCommand.parse(["m.onnx", "--json", "-"]).json == "-")
        #expect(try ProfileCommand.parse(["m.onnx", "--json", "out.json", "--top", "5"]).json == "out.json")
        #expect(try ProfileCommand.parse(["m.onnx"]).json == nil)
        #expect(throws: (any Error).self) { try ProfileCommand.parse(["m.onnx", "--rounds", "0"]) }
    }
}

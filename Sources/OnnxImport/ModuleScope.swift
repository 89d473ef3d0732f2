/// Where in the source program a node stems from, as PyTorch's exporter over `torch.export` writes it into metadata.
enum ModuleScope {
    static let key = "namespace"
    private static let deepest = 16
    private static let longest = 200

    /// `: net.Net/layers: torch.nn.Sequential/layers.0: net.Layer/add: aten.add.Tensor` → `["layers", "0"]`: the modules
    /// around the node, outermost first, without the model itself.
    static func modules(in namespace: String) -> [String] {
        var modules: [String] = []
        var outer: Substring = ""
        // The last part is the operation.
        for part in namespace.split(separator: "/", omittingEmptySubsequences: false).dropLast() {
            let path = part.prefix { $0 != ":" }
            guard !path.isEmpty, path != outer, modules.count < deepest else { continue }
            let isInside = !outer.isEmpty && path.hasPrefix(outer + ".")
            modules.append(String((isInside ? path.dropFirst(outer.count + 1) : path).prefix(longest)))
            outer = path
        }
        return modules
    }
}

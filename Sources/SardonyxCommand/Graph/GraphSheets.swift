import Sardonyx

/// All drawings of a page: the graph of the file, the plan, functions, and the graphs inside nodes such as If and Loop.
struct GraphSheets {
    struct Sheet {
        /// The sheet and the node there that this is a body of.
        let owner: (sheet: Int, node: Int, attribute: String)?
        /// The function that this is the body of.
        let function: String?
        let drawing: GraphDrawing
        /// By node: the sheets of its bodies.
        var bodies: [[Int]]
    }

    private(set) var sheets: [Sheet] = []
    /// The sheet of the plan.
    private(set) var plan: Int?

    init(_ picture: ModelPicture) {
        let source = GraphScopes(picture.graph)
        add(picture.graph, source, owner: nil)
        if let plan = picture.plan {
            self.plan = sheets.count
            add(plan.graph, GraphScopes(plan: plan.graph, source: source), owner: nil)
        }
        for function in picture.functions {
            add(function.graph, GraphScopes(function.graph), owner: nil, function: function.name)
        }
    }

    /// Bodies nest at most 32 deep.
    private mutating func add(
        _ graph: GraphReport, _ scopes: GraphScopes, owner: (sheet: Int, node: Int, attribute: String)?,
        function: String? = nil
    ) {
        let index = sheets.count
        sheets.append(
            Sheet(
                owner: owner, function: function, drawing: GraphDrawing(graph, scopes: scopes),
                bodies: graph.nodes.map { _ in [] }))
        for (position, node) in graph.nodes.enumerated() {
            for body in node.bodies {
                sheets[index].bodies[position].append(sheets.count)
                add(body.graph, GraphScopes(body.graph), owner: (index, position, body.attribute))
            }
        }
    }
}

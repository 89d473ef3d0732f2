import Sardonyx

/// The page: one HTML file that holds its style, its scripts and the data, and loads nothing.
enum GraphPage {
    /// In the order in which they are run.
    private static let scripts = [
        PackageResources.model_js, PackageResources.place_js, PackageResources.colors_js, PackageResources.view_js,
        PackageResources.paint_js,
        PackageResources.minimap_js, PackageResources.weights_js, PackageResources.panel_js, PackageResources.search_js,
        PackageResources.memory_js, PackageResources.main_js,
    ]

    /// - Parameter profile: of the plan in the picture; its times colour the nodes.
    static func render(
        _ picture: ModelPicture, report: ModelReport, profile: Profile? = nil, title: String
    ) -> [UInt8] {
        let data = GraphPageData(
            picture: picture, sheets: GraphSheets(picture), report: report, profile: profile, title: title)
        var page: [UInt8] = []
        var rest = PackageResources.page_html[...]
        // The page's own text has three marks, in this order.
        for (mark, content) in [
            ("/* style */", PackageResources.page_css), ("/* data */", data.json()),
            ("/* scripts */", Array(scripts.joined(separator: [UInt8(ascii: "\n")]))),
        ] {
            guard let start = rest.firstRange(of: Array(mark.utf8)) else { continue }
            page += rest[..<start.lowerBound]
            page += content
            rest = rest[start.upperBound...]
        }
        return page + rest
    }
}

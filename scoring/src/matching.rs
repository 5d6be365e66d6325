//! Maximum matching in a bipartite graph: J. E. Hopcroft, R. M. Karp, "An n^5/2 algorithm for
//! maximum matchings in bipartite graphs", SIAM J. Comput. 2(4), 1973.
//!
//! A graph has many maximum matchings, and the mean overlap of matched notes depends on which one is
//! taken. So vertices are visited in the order of D. Eppstein's Python (2002), which mir_eval
//! uses.

/// A maximum matching: pairs of left and right vertices, sorted by the left one.
pub(crate) fn maximum_matching(graph: &BipartiteGraph) -> Vec<(usize, usize)> {
    let mut search = Search {
        graph,
        partner: vec![None; graph.left_count],
        layered: vec![Vec::new(); graph.left_count],
        visited: vec![None; graph.left_neighbors.len()],
    };
    search.match_greedily();
    while search.augment() {}
    let pairs = search.partner.iter().enumerate();
    pairs
        .filter_map(|(left, right)| Some((left, (*right)?)))
        .collect()
}

/// A bipartite graph: the pairs of left and right vertices that may be matched.
pub(crate) struct BipartiteGraph {
    left_count: usize,
    /// The left neighbors of each right vertex.
    left_neighbors: Vec<Vec<usize>>,
    /// Right vertices in the order in which they are tried.
    order: Vec<usize>,
}

impl BipartiteGraph {
    pub(crate) fn new(
        left_count: usize,
        right_count: usize,
        fits: impl Fn(usize, usize) -> bool,
    ) -> Self {
        let mut graph = Self {
            left_count,
            left_neighbors: vec![Vec::new(); right_count],
            order: Vec::new(),
        };
        for left in 0..left_count {
            for right in 0..right_count {
                if fits(left, right) {
                    if graph.left_neighbors[right].is_empty() {
                        graph.order.push(right);
                    }
                    graph.left_neighbors[right].push(left);
                }
            }
        }
        graph
    }
}

struct Search<'a> {
    graph: &'a BipartiteGraph,
    /// The partner of each left vertex.
    partner: Vec<Option<usize>>,
    /// The right vertices from which a left one was reached; empty if it was not, or once they are
    /// tried.
    layered: Vec<Vec<usize>>,
    /// The origin of each visited right vertex.
    visited: Vec<Option<Origin>>,
}

#[derive(Clone, Copy)]
enum Origin {
    /// The vertex has no partner yet.
    Start,
    /// Reached from the left vertex that is its partner.
    Left(usize),
}

impl Search<'_> {
    fn match_greedily(&mut self) {
        for &right in &self.graph.order {
            let neighbors = &self.graph.left_neighbors[right];
            let free = neighbors.iter().find(|&&left| self.partner[left].is_none());
            if let Some(&left) = free {
                self.partner[left] = Some(right);
            }
        }
    }

    /// Augments the matching along shortest alternating paths; false if there is none.
    fn augment(&mut self) -> bool {
        let ends = self.layer();
        for &left in &ends {
            self.trace(left);
        }
        !ends.is_empty()
    }

    /// Layers the graph from the right vertices without a partner, until it reaches left ones without
    /// a partner, which it returns.
    fn layer(&mut self) -> Vec<usize> {
        let Self {
            graph,
            partner,
            layered,
            visited,
        } = self;
        layered.iter_mut().for_each(Vec::clear);
        visited.fill(None);
        for &right in &graph.order {
            visited[right] = Some(Origin::Start);
        }
        for right in partner.iter().flatten() {
            visited[*right] = None;
        }
        let starts = graph.order.iter().copied();
        let mut layer: Vec<usize> = starts.filter(|&right| visited[right].is_some()).collect();
        let mut ends = Vec::new();
        // Left vertices of earlier layers are closed.
        let mut closed = vec![false; graph.left_count];
        while !layer.is_empty() && ends.is_empty() {
            let mut found = Vec::new();
            for &right in &layer {
                for &left in &graph.left_neighbors[right] {
                    if !closed[left] {
                        if layered[left].is_empty() {
                            found.push(left);
                        }
                        layered[left].push(right);
                    }
                }
            }
            layer.clear();
            for left in found {
                closed[left] = true;
                match partner[left] {
                    Some(right) => {
                        layer.push(right);
                        visited[right] = Some(Origin::Left(left));
                    }
                    None => ends.push(left),
                }
            }
        }
        ends
    }

    /// Follows the layers back from `left` to a start, and pairs along the way. The recursion is as
    /// deep as the path is long: at most the number of left vertices.
    fn trace(&mut self, left: usize) -> bool {
        for right in std::mem::take(&mut self.layered[left]) {
            let open = match self.visited[right].take() {
                None => false,
                Some(Origin::Start) => true,
                Some(Origin::Left(before)) => self.trace(before),
            };
            if open {
                self.partner[left] = Some(right);
                return true;
            }
        }
        false
    }
}

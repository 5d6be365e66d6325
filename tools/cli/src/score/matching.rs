//! Maximum matching in a bipartite graph: J. E. Hopcroft, R. M. Karp, "An n^5/2 algorithm for
//! maximum matchings in bipartite graphs", SIAM J. Comput. 2(4), 1973.
//!
//! A graph has many maximum matchings, and the mean overlap of matched notes depends on which one is
//! taken. So vertices are visited in the order of D. Eppstein's Python (2002), which mir_eval
//! has.

/// Pairs of left and right vertices, as many as can be, by the left one.
///
/// `edges[left]` lists the neighbors on the right, which has `right_count` vertices. Which of the
/// maximum matchings comes out depends on the order of `order`, in which right vertices are tried.
pub(super) fn maximum(edges: &Edges) -> Vec<(usize, usize)> {
    let mut search = Search {
        edges,
        partner: vec![None; edges.left_count],
        layered: vec![Vec::new(); edges.left_count],
        reached: vec![None; edges.of_right.len()],
    };
    search.begin_greedily();
    while search.augment() {}
    let pairs = search.partner.iter().enumerate();
    pairs
        .filter_map(|(left, right)| Some((left, (*right)?)))
        .collect()
}

/// Who may be paired with whom.
pub(super) struct Edges {
    left_count: usize,
    /// The left neighbors of each right vertex.
    of_right: Vec<Vec<usize>>,
    /// Right vertices in the order in which they are tried.
    order: Vec<usize>,
}

impl Edges {
    pub(super) fn of(
        left_count: usize,
        right_count: usize,
        fits: impl Fn(usize, usize) -> bool,
    ) -> Self {
        let mut edges = Self {
            left_count,
            of_right: vec![Vec::new(); right_count],
            order: Vec::new(),
        };
        for left in 0..left_count {
            for right in 0..right_count {
                if fits(left, right) {
                    if edges.of_right[right].is_empty() {
                        edges.order.push(right);
                    }
                    edges.of_right[right].push(left);
                }
            }
        }
        edges
    }
}

struct Search<'a> {
    edges: &'a Edges,
    /// Of each left vertex.
    partner: Vec<Option<usize>>,
    /// The right vertices through which a left one was reached; empty where it was not, or is used
    /// up.
    layered: Vec<Vec<usize>>,
    /// How a right vertex was reached.
    reached: Vec<Option<From>>,
}

#[derive(Clone, Copy)]
enum From {
    /// It has no partner yet.
    Start,
    /// From the left vertex that is its partner.
    Left(usize),
}

impl Search<'_> {
    fn begin_greedily(&mut self) {
        for &right in &self.edges.order {
            let neighbors = &self.edges.of_right[right];
            let free = neighbors.iter().find(|&&left| self.partner[left].is_none());
            if let Some(&left) = free {
                self.partner[left] = Some(right);
            }
        }
    }

    /// Makes the matching larger along shortest alternating paths; false where there is none.
    fn augment(&mut self) -> bool {
        let ends = self.layer();
        for &left in &ends {
            self.trace(left);
        }
        !ends.is_empty()
    }

    /// Layers the graph from the right vertices without a partner, until left ones without a
    /// partner are reached: those.
    fn layer(&mut self) -> Vec<usize> {
        let Self {
            edges,
            partner,
            layered,
            reached,
        } = self;
        layered.iter_mut().for_each(Vec::clear);
        reached.fill(None);
        for &right in &edges.order {
            reached[right] = Some(From::Start);
        }
        for right in partner.iter().flatten() {
            reached[*right] = None;
        }
        let starts = edges.order.iter().copied();
        let mut layer: Vec<usize> = starts.filter(|&right| reached[right].is_some()).collect();
        let mut ends = Vec::new();
        // Left vertices of earlier layers are closed.
        let mut closed = vec![false; edges.left_count];
        while !layer.is_empty() && ends.is_empty() {
            let mut found = Vec::new();
            for &right in &layer {
                for &left in &edges.of_right[right] {
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
                        reached[right] = Some(From::Left(left));
                    }
                    None => ends.push(left),
                }
            }
        }
        ends
    }

    /// Follows the layers back from `left` to a start, and pairs along the way. As deep as the
    /// path is long, at most the number of left vertices.
    fn trace(&mut self, left: usize) -> bool {
        for right in std::mem::take(&mut self.layered[left]) {
            let open = match self.reached[right].take() {
                None => false,
                Some(From::Start) => true,
                Some(From::Left(before)) => self.trace(before),
            };
            if open {
                self.partner[left] = Some(right);
                return true;
            }
        }
        false
    }
}

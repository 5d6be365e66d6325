//! The stored Merkle tree of the access log.

use std::collections::HashMap;

use sordino::upload::merkle::{TreeHash, leaf_hash};
use sqlx::AssertSqlSafe;

use super::{Head, LogEnd, PAGE, TREE};
use crate::{
    database::{Database, DatabaseError, Session, parse_column},
    merkle::{Edge, Node},
};

/// The number of tree nodes per statement.
const NODES_PER_STATEMENT: usize = 40;

impl Database {
    /// Appends the entries of earlier versions to the tree, if not done yet, in one transaction.
    pub(in crate::database) async fn extend_tree(&self) -> Result<(), DatabaseError> {
        let mut session = self.write().await?;
        session.grow_tree().await?;
        session.commit().await
    }
}

impl Session {
    /// Appends the entries that the tree lacks, which versions without a tree recorded. Returns the end of the log.
    pub(crate) async fn grow_tree(&mut self) -> Result<LogEnd, DatabaseError> {
        let mut tree = self.stored_tree().await?;
        loop {
            let completed = self.next_nodes(&mut tree).await?;
            if completed.is_empty() {
                break;
            }
            self.insert_nodes(&completed).await?;
        }
        let (entries, hash) = self.last_entry().await?;
        // Entries of the tree were removed from the log, so that new ones would get wrong numbers.
        if i64::try_from(tree.size()) != Ok(entries) {
            return Err(DatabaseError::Corrupt(TREE));
        }
        Ok(LogEnd { hash, tree })
    }

    /// The head, and the nodes of entries that the stored tree lacks because a collector of an earlier version recorded
    /// them after this one opened the database.
    pub(super) async fn head_and_tree(
        &mut self,
    ) -> Result<(Head, HashMap<Node, TreeHash>), DatabaseError> {
        let mut tree = self.stored_tree().await?;
        let mut missing = HashMap::new();
        loop {
            let completed = self.next_nodes(&mut tree).await?;
            if completed.is_empty() {
                break;
            }
            missing.extend(completed);
        }
        let (entries, hash) = self.last_entry().await?;
        let root = tree.root();
        Ok((
            Head {
                entries,
                hash,
                root,
            },
            missing,
        ))
    }

    /// The right edge of the stored tree.
    async fn stored_tree(&mut self) -> Result<Edge, DatabaseError> {
        let size: i64 = sqlx::query_scalar(
            "SELECT coalesce(max(position), -1) + 1 FROM access_tree WHERE level = 0",
        )
        .fetch_one(&mut *self.0)
        .await?;
        let size = u64::try_from(size).map_err(|_| DatabaseError::Corrupt(TREE))?;
        let nodes = Edge::nodes(size);
        let stored = self.nodes(&nodes).await?;
        let hashes: Option<Vec<_>> = nodes.iter().map(|node| stored.get(node).copied()).collect();
        let hashes = hashes.ok_or(DatabaseError::Corrupt(TREE))?;
        Ok(Edge::new(size, hashes))
    }

    /// Appends a page of the entries that `tree` lacks and returns the nodes that they complete; empty at the end.
    async fn next_nodes(
        &mut self,
        tree: &mut Edge,
    ) -> Result<Vec<(Node, TreeHash)>, DatabaseError> {
        let after = i64::try_from(tree.size()).map_err(|_| DatabaseError::Corrupt(TREE))?;
        let mut completed = Vec::new();
        for entry in self.entries_after(after, PAGE).await? {
            // A removed entry is replaced by an empty leaf, so that each entry stays at its number.
            while i64::try_from(tree.size()).is_ok_and(|size| size < entry.sequence() - 1) {
                completed.extend(tree.push(leaf_hash(b"")));
            }
            completed.extend(tree.push(leaf_hash(&entry.content.canonical()?)));
        }
        Ok(completed)
    }

    /// Loads those of the nodes that are stored.
    pub(super) async fn nodes(
        &mut self,
        nodes: &[Node],
    ) -> Result<HashMap<Node, TreeHash>, DatabaseError> {
        let mut found = HashMap::new();
        for some in nodes.chunks(NODES_PER_STATEMENT) {
            // The statement has a fixed number of parameters, so that it is prepared once.
            let each = (0..NODES_PER_STATEMENT).map(|pair| {
                let (level, position) = (2 * pair + 1, 2 * pair + 2);
                format!("(level = ${level} AND position = ${position})")
            });
            let statement = format!(
                "SELECT level, position, hash FROM access_tree WHERE {}",
                each.collect::<Vec<_>>().join(" OR ")
            );
            let mut query = sqlx::query_as::<_, (i64, i64, String)>(AssertSqlSafe(statement));
            for node in some
                .iter()
                .chain(some.last().into_iter().cycle())
                .take(NODES_PER_STATEMENT)
            {
                let (level, position) = numbers(node)?;
                query = query.bind(level).bind(position);
            }
            for (level, position, hash) in query.fetch_all(&mut *self.0).await? {
                let node = u32::try_from(level).ok().zip(u64::try_from(position).ok());
                let (level, position) = node.ok_or(DatabaseError::Corrupt(TREE))?;
                found.insert(Node { level, position }, parse_column(&hash, TREE)?);
            }
        }
        Ok(found)
    }

    pub(super) async fn insert_nodes(
        &mut self,
        nodes: &[(Node, TreeHash)],
    ) -> Result<(), DatabaseError> {
        for some in nodes.chunks(NODES_PER_STATEMENT) {
            let rows: Vec<String> = (0..some.len())
                .map(|row| format!("(${}, ${}, ${})", 3 * row + 1, 3 * row + 2, 3 * row + 3))
                .collect();
            let statement = format!(
                "INSERT INTO access_tree (level, position, hash) VALUES {}",
                rows.join(", ")
            );
            let mut query = sqlx::query(AssertSqlSafe(statement));
            for (node, hash) in some {
                let (level, position) = numbers(node)?;
                query = query.bind(level).bind(position).bind(hash.to_string());
            }
            query.execute(&mut *self.0).await?;
        }
        Ok(())
    }
}

fn numbers(node: &Node) -> Result<(i64, i64), DatabaseError> {
    let position = i64::try_from(node.position).map_err(|_| DatabaseError::Corrupt(TREE))?;
    Ok((i64::from(node.level), position))
}

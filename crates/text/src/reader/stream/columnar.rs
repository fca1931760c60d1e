//! Parquet and Arrow row by row.

use std::fmt;

use serde_json::Value;

use super::super::columnar::{Batches, Table};
use super::super::{Format, ReadError, Source};
use super::Wanted;

/// The cells of some columns, batch by batch.
pub(super) struct TableRows {
    table: Table,
    batches: Batches,
    /// The indices of the columns.
    indices: Vec<usize>,
    /// Their cells in the current batch.
    columns: Vec<Vec<Value>>,
    next: usize,
    rows: usize,
}

impl fmt::Debug for TableRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TableRows")
            .field("indices", &self.indices)
            .finish_non_exhaustive()
    }
}

impl TableRows {
    pub(super) fn open(
        source: Source,
        format: Format,
        wanted: &mut Wanted,
    ) -> Result<Self, ReadError> {
        let table = Table::open_in_place(source, format)?;
        wanted.settle(1, &table.names())?;
        let indices = wanted.indices();
        Ok(Self {
            batches: table.batches(&indices)?,
            table,
            indices,
            columns: Vec::new(),
            next: 0,
            rows: 0,
        })
    }

    /// The next row: the index of each column, and its cell.
    pub(super) fn next_row(&mut self) -> Result<Option<Vec<(usize, Value)>>, ReadError> {
        while self.next == self.rows {
            let Some(batch) = self.batches.next() else {
                return Ok(None);
            };
            let batch = batch.map_err(|error| self.table.unreadable(error))?;
            let columns = self.table.columns(&batch)?;
            self.columns = columns.into_iter().map(|(_, cells)| cells).collect();
            (self.next, self.rows) = (0, batch.num_rows());
        }
        let row = self.next;
        self.next += 1;
        let cells = self.columns.iter_mut().map(|cells| cells[row].take());
        Ok(Some(self.indices.iter().copied().zip(cells).collect()))
    }
}

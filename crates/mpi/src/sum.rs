use std::ffi::{c_int, c_void};
use std::mem;

use bert_tasks::{ExchangeError, PendingSum};
use mpi::collective::SystemOperation;
use mpi::ffi;
use mpi::raw::AsRaw;
use mpi::topology::SimpleCommunicator;
use mpi::traits::Equivalence;

/// An `MPI_Iallreduce` with its buffers, which belong to MPI until it is complete.
pub(crate) struct Sum {
    send: Vec<f32>,
    receive: Vec<f32>,
    request: ffi::MPI_Request,
    is_complete: bool,
}

#[expect(
    unsafe_code,
    reason = "the safe calls tie a request to a scope, which a value that is moved around cannot have"
)]
impl Sum {
    pub(crate) fn begin(world: &SimpleCommunicator, send: Vec<f32>) -> Result<Self, ExchangeError> {
        let count = c_int::try_from(send.len())
            .map_err(|_| ExchangeError(format!("a buffer of {} values is too long", send.len())))?;
        let mut receive = vec![0.0; send.len()];
        let datatype = f32::equivalent_datatype();
        let operation = SystemOperation::sum();
        // SAFETY: both buffers hold `count` values, and stay where they are until the request is complete: `Drop` gives them
        // up before that. Datatype, operation and communicator are valid as long as MPI is initialized.
        let request = unsafe {
            let mut request = mem::zeroed();
            ffi::MPI_Iallreduce(
                send.as_ptr().cast::<c_void>(),
                receive.as_mut_ptr().cast::<c_void>(),
                count,
                datatype.as_raw(),
                operation.as_raw(),
                world.as_raw(),
                &mut request,
            );
            request
        };
        Ok(Self {
            send,
            receive,
            request,
            is_complete: false,
        })
    }
}

#[expect(unsafe_code, reason = "the request is MPI's own")]
impl PendingSum for Sum {
    fn advance(&mut self) -> bool {
        if !self.is_complete {
            let mut flag: c_int = 0;
            // SAFETY: the request is under way; MPI nulls it when it is complete.
            unsafe { ffi::MPI_Test(&mut self.request, &mut flag, ffi::RSMPI_STATUS_IGNORE) };
            self.is_complete = flag != 0;
        }
        self.is_complete
    }

    fn wait(mut self: Box<Self>) -> Result<Vec<f32>, ExchangeError> {
        if !self.is_complete {
            // SAFETY: as above.
            unsafe { ffi::MPI_Wait(&mut self.request, ffi::RSMPI_STATUS_IGNORE) };
            self.is_complete = true;
        }
        Ok(mem::take(&mut self.receive))
    }
}

impl Drop for Sum {
    /// MPI may still write to the buffers of a sum that nobody has waited for.
    fn drop(&mut self) {
        if !self.is_complete {
            mem::forget(mem::take(&mut self.send));
            mem::forget(mem::take(&mut self.receive));
        }
    }
}

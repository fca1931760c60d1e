//! Gradients that are handed over while the backward pass goes on.
//!
//! Burn gives gradients away at the end of a backward pass. Until then it takes one operation after the other, the deepest
//! first: the depth of an operation is one more than that of its deepest input. So an operation that takes a parameter, which
//! has no depth, would come last. [`hand_over`] has a second input whose depth decides when it is its turn.

use std::cell::Cell;
use std::mem;
use std::ptr::NonNull;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Dispatch, ExecutionError};
use burn::tensor::{Device, Tensor, TensorData, read_sync};

use crate::ops::BertOps;

/// How much deeper each of [`depths`] is than the one before: more than there are operations between the uses of two
/// parameters that follow each other in a module, on average.
const STRIDE: usize = 16;

/// Takes the number that [`hand_over`] was given, and the gradient or why it could not be read.
pub type GradientReceiver<'r> = dyn FnMut(usize, Result<TensorData, ExecutionError>) + 'r;

thread_local! {
    static RECEIVER: Cell<Option<NonNull<GradientReceiver<'static>>>> = const { Cell::new(None) };
}

/// The values of `x`, without a copy. In the backward pass the whole gradient goes to the receiver of [`receive_gradients`],
/// with the number, as soon as all operations deeper than `depth` are done; `x` itself gets none. Use the result wherever `x`
/// would have been used, so that its gradient is the whole one. `depth` gets no gradient from here.
///
/// Numbers that grow with the depths are received from the highest to the lowest.
///
/// # Shapes
///
/// Any shape; the output has the shape of the input.
pub fn hand_over<const D: usize, const E: usize>(
    x: Tensor<D>,
    depth: &Tensor<E>,
    number: usize,
) -> Tensor<D> {
    // A leaf of its own: graphs of several threads that share parameters have nothing in common.
    let leaf = x.detach().require_grad();
    Tensor::from_dispatch(<Dispatch as BertOps>::handed_over(
        leaf.into_dispatch(),
        depth.clone().into_dispatch(),
        number,
    ))
}

/// So many tensors for [`hand_over`], each deeper than the one before. `device` is one with gradients.
///
/// If parameters get them in the order in which the forward pass uses them, gradients are handed over soon after they are
/// computed. In another order they are handed over later.
pub fn depths(count: usize, device: &Device) -> Vec<Tensor<1>> {
    let mut deepest = Tensor::<1>::zeros([1], device).into_dispatch();
    let mut deeper = || {
        for _ in 0..STRIDE {
            deepest = <Dispatch as BertOps>::handed_over(deepest.clone(), deepest.clone(), 0);
        }
        Tensor::from_dispatch(deepest.clone())
    };
    (0..count).map(|_| deeper()).collect()
}

/// Does `backward`, and gives `receiver` each gradient that is handed over meanwhile on this thread. Without a receiver such
/// gradients are lost.
#[expect(
    unsafe_code,
    reason = "a thread-local variable has no place for the lifetime of a scope"
)]
pub fn receive_gradients<R>(
    receiver: &mut GradientReceiver<'_>,
    backward: impl FnOnce() -> R,
) -> R {
    /// Restores the receiver even if `backward` panics.
    struct Restored(Option<NonNull<GradientReceiver<'static>>>);

    impl Drop for Restored {
        fn drop(&mut self) {
            RECEIVER.set(self.0);
        }
    }

    let receiver = NonNull::from(receiver);
    // SAFETY: both are pointers of one layout. `Restored` takes this one away before the receiver's lifetime ends.
    let receiver = unsafe {
        mem::transmute::<NonNull<GradientReceiver<'_>>, NonNull<GradientReceiver<'static>>>(
            receiver,
        )
    };
    let _restored = Restored(RECEIVER.replace(Some(receiver)));
    backward()
}

#[expect(unsafe_code, reason = "see `receive_gradients`")]
fn hand(number: usize, gradient: Result<TensorData, ExecutionError>) {
    // It is taken out, so that a backward pass within the receiver finds none.
    if let Some(mut receiver) = RECEIVER.take() {
        // SAFETY: `receive_gradients` borrows the receiver for as long as the pointer can be found here, and it is found once.
        unsafe { receiver.as_mut()(number, gradient) };
        RECEIVER.set(Some(receiver));
    }
}

#[derive(Debug)]
struct HandedOver;

/// The parents are the tensor and the depth, which has no gradient.
impl<B: BertOps> Backward<B, 2> for HandedOver {
    type State = usize;

    fn backward(
        self,
        ops: Ops<Self::State, 2>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let gradient = grads.consume::<B>(&ops.node);
        hand(ops.state, read_sync(B::float_into_data(gradient)));
    }
}

pub(crate) fn tracked<B: BertOps, C: CheckpointStrategy>(
    x: FloatTensor<Autodiff<B, C>>,
    depth: FloatTensor<Autodiff<B, C>>,
    number: usize,
) -> FloatTensor<Autodiff<B, C>> {
    let nodes = [x.node(), depth.node()];
    let prepared = Backward::<B, 2>::prepare::<C>(HandedOver, nodes).compute_bound();
    match prepared.stateful() {
        OpsKind::Tracked(prep) => prep.finish(number, x.into_primitive()),
        OpsKind::UnTracked(prep) => prep.finish(x.into_primitive()),
    }
}

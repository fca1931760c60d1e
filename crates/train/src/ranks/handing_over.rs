//! A model whose gradients are handed over during the backward pass.

use bert_kernels::hand_over;
use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::Tensor;

/// The same model, where the gradient of each parameter that is trained is handed over under its number in the order of the
/// module. Modules have their parameters in the order in which they compute.
pub(super) fn handing_over<M: Module>(model: M, depths: &[Tensor<1>]) -> M {
    struct HandOver<'d> {
        depths: std::iter::Enumerate<std::slice::Iter<'d, Tensor<1>>>,
    }
    impl ModuleMapper for HandOver<'_> {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            if !param.is_require_grad() {
                return param;
            }
            match self.depths.next() {
                Some((number, depth)) => param.map(|value| hand_over(value, depth, number)),
                None => param,
            }
        }
    }
    model.map(&mut HandOver {
        depths: depths.iter().enumerate(),
    })
}

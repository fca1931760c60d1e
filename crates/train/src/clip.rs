use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

/// What PyTorch adds to the norm before it divides (`torch.nn.utils.clip_grad_norm_`).
pub(crate) const EPSILON: f64 = 1e-6;

/// The Euclidean norm of all gradients of a module taken as one vector.
pub fn global_norm<M: Module>(module: &M, gradients: &GradientsParams) -> f64 {
    let mut squares = SumsOfSquares {
        gradients,
        sums: Vec::new(),
    };
    module.visit(&mut squares);
    if squares.sums.is_empty() {
        return 0.0;
    }
    // One read from the device instead of one a parameter.
    let sums = Tensor::cat(squares.sums, 0).into_data();
    sums.iter::<f64>().sum::<f64>().sqrt()
}

/// The factor that brings gradients of this norm to at most `max_grad_norm`: 1 when they are there already.
pub fn clip_factor(norm: f64, max_grad_norm: Option<f64>) -> f64 {
    max_grad_norm.map_or(1.0, |maximum| (maximum / (norm + EPSILON)).min(1.0))
}

/// The gradients of a module, each as a row.
pub(crate) fn gradient_rows<M: Module>(module: &M, gradients: &GradientsParams) -> Vec<Tensor<1>> {
    let mut rows = Rows {
        gradients,
        rows: Vec::new(),
    };
    module.visit(&mut rows);
    rows.rows
}

struct Rows<'a> {
    gradients: &'a GradientsParams,
    rows: Vec<Tensor<1>>,
}

impl ModuleVisitor for Rows<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.get::<D>(param.id) {
            self.rows.push(gradient.flatten(0, D - 1));
        }
    }
}

struct SumsOfSquares<'a> {
    gradients: &'a GradientsParams,
    sums: Vec<Tensor<1>>,
}

impl ModuleVisitor for SumsOfSquares<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.get::<D>(param.id) {
            self.sums.push(bert_kernels::sum_of_squares(gradient));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_gradients_are_left_alone_and_large_ones_shrink_to_the_maximum() {
        assert_eq!(clip_factor(0.5, Some(1.0)), 1.0);
        assert!((4.0 * clip_factor(4.0, Some(1.0)) - 1.0).abs() < 1e-6);
        assert_eq!(clip_factor(1e9, None), 1.0);
        assert_eq!(clip_factor(0.0, Some(1.0)), 1.0);
    }

    #[test]
    fn a_norm_at_the_maximum_shrinks_by_the_epsilon_of_pytorch() {
        assert_eq!(clip_factor(1.0, Some(1.0)), 1.0 / 1.000_001);
    }
}

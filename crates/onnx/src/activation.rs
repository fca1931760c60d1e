//! Activations in plain operators.

use std::f64::consts::{FRAC_2_PI, SQRT_2};

use bert_encoder::HiddenAct;

use crate::graph::{Graph, Value};

/// The factor of the cube in GELU's tanh approximation (Hendrycks and Gimpel, <https://arxiv.org/abs/1606.08415>).
const CUBE: f64 = 0.044_715;
const QUICK_GELU_SCALE: f64 = 1.702;

impl Graph {
    pub(crate) fn activation(&mut self, x: &Value, act: HiddenAct) -> Value {
        match act {
            HiddenAct::Gelu => self.gelu(x),
            HiddenAct::GeluNew | HiddenAct::GeluPytorchTanh => self.gelu_tanh(x),
            HiddenAct::QuickGelu => self.times_sigmoid(x, QUICK_GELU_SCALE),
            HiddenAct::Relu => self.node("Relu", &[x], Vec::new()),
            HiddenAct::Silu => self.times_sigmoid(x, 1.0),
            HiddenAct::Tanh => self.node("Tanh", &[x], Vec::new()),
        }
    }

    /// In the order of operations that ONNX Runtime joins to one.
    fn gelu(&mut self, x: &Value) -> Value {
        let (root, one) = (self.number(SQRT_2), self.number(1.0));
        let scaled = self.div(x, &root);
        let erf = self.node("Erf", &[&scaled], Vec::new());
        let raised = self.add(&erf, &one);
        let doubled = self.mul(x, &raised);
        self.scaled(&doubled, 0.5)
    }

    fn gelu_tanh(&mut self, x: &Value) -> Value {
        let (three, one) = (self.number(3.0), self.number(1.0));
        let cube = self.node("Pow", &[x, &three], Vec::new());
        let cube = self.scaled(&cube, CUBE);
        let inner = self.add(x, &cube);
        let inner = self.scaled(&inner, FRAC_2_PI.sqrt());
        let tanh = self.node("Tanh", &[&inner], Vec::new());
        let raised = self.add(&tanh, &one);
        let doubled = self.mul(x, &raised);
        self.scaled(&doubled, 0.5)
    }

    /// `x · sigmoid(scale · x)`.
    fn times_sigmoid(&mut self, x: &Value, scale: f64) -> Value {
        let inner = match scale {
            1.0 => x.clone(),
            scale => self.scaled(x, scale),
        };
        let gate = self.node("Sigmoid", &[&inner], Vec::new());
        self.mul(x, &gate)
    }
}

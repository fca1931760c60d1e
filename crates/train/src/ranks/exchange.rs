use bert_kernels::{computes_on_host, depths, receive_gradients};
use bert_tasks::{Communicator, ExchangeError};
use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};

use super::gradients::{Place, put_back, take_out};
use super::handing_over::handing_over;
use super::reducer::Reducer;
use super::{SingleProcess, Traffic};
use crate::TrainError;

/// Adds up the gradients of all ranks, and counts.
#[derive(Debug)]
pub(crate) struct Exchange<'a> {
    pub(crate) ranks: &'a dyn Communicator,
    /// Sums of gradients so far.
    pub(crate) steps: usize,
    pub(crate) traffic: Traffic,
    /// One for each parameter that is trained, once gradients were handed over.
    depths: Vec<Tensor<1>>,
}

impl Default for Exchange<'_> {
    fn default() -> Self {
        Self::among(&SingleProcess)
    }
}

impl<'a> Exchange<'a> {
    pub(crate) fn among(ranks: &'a dyn Communicator) -> Self {
        Self {
            ranks,
            steps: 0,
            traffic: Traffic::default(),
            depths: Vec::new(),
        }
    }

    pub(crate) fn is_shared(&self) -> bool {
        self.ranks.size() > 1
    }

    /// Whether gradients can be exchanged during the backward pass. Elsewhere than on the host reading one would wait for all
    /// work of the device.
    pub(crate) fn can_overlap(&self, device: &Device) -> bool {
        self.is_shared() && computes_on_host(device)
    }

    /// The sums of some numbers over all ranks.
    pub(crate) fn sum<const N: usize>(
        &mut self,
        values: [f64; N],
    ) -> Result<[f64; N], ExchangeError> {
        if !self.is_shared() {
            return Ok(values);
        }
        self.traffic.count(N * size_of::<f64>());
        let sums = self.ranks.sum(&values)?;
        sums.try_into().map_err(|sums: Vec<f64>| {
            ExchangeError(format!("{N} numbers were asked for, {} came", sums.len()))
        })
    }

    /// The sums of all ranks in the place of this rank's gradients. A gradient that no rank has stays away.
    pub(crate) fn sum_gradients<M: Module>(
        &mut self,
        model: &M,
        gradients: GradientsParams,
    ) -> Result<GradientsParams, ExchangeError> {
        if !self.is_shared() {
            return Ok(gradients);
        }
        let (flat, places) = take_out(model, gradients);
        let reducer = Reducer::new(self.ranks, flat, self.traffic);
        self.finish(model, reducer, places)
    }

    /// The sums of the gradients of a loss over all ranks, with the same bits as [`sum_gradients`](Self::sum_gradients). The
    /// exchange begins while the backward pass goes on. `loss` computes it of the model that it is given; a rank that has
    /// none gives none.
    pub(crate) fn sum_during_backward<M: Module>(
        &mut self,
        model: &M,
        device: &Device,
        loss: impl FnOnce(&M) -> Result<Option<Tensor<1>>, TrainError>,
    ) -> Result<GradientsParams, TrainError> {
        let (flat, places) = take_out(model, GradientsParams::new());
        let mut reducer = Reducer::new(self.ranks, flat, self.traffic);
        if self.depths.len() != reducer.len() {
            self.depths = depths(reducer.len(), device);
        }
        let loss = loss(&handing_over(model.clone(), &self.depths))?;
        if let Some(loss) = loss {
            backward(loss, &mut reducer)?;
            reducer.backward_has_ended(self.traffic.bytes);
        }
        Ok(self.finish(model, reducer, places)?)
    }

    fn finish<M: Module>(
        &mut self,
        model: &M,
        reducer: Reducer<'_>,
        places: Vec<Place>,
    ) -> Result<GradientsParams, ExchangeError> {
        let (flat, traffic) = reducer.finish()?;
        self.traffic = traffic;
        self.steps += 1;
        Ok(put_back(model, (flat, places)))
    }
}

/// A backward pass whose gradients go to the reducer. The first failure of the exchange is told once the pass is over.
fn backward(loss: Tensor<1>, reducer: &mut Reducer<'_>) -> Result<(), ExchangeError> {
    let mut outcome = Ok(());
    receive_gradients(
        &mut |number, gradient| {
            if outcome.is_ok() {
                outcome = gradient
                    .map_err(|error| ExchangeError(error.to_string()))
                    .and_then(|values| reducer.receive(number, values));
            }
        },
        || loss.backward(),
    );
    outcome
}

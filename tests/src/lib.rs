//! Parity with transformers, agreement of the backends, and the command line end to end.

//! Matrix products `C = A · B` of single precision, and of bfloat16 and int8 with sums of single precision.
//!
//! The names are those of BLIS: A is the left-hand side (`lhs`, M × K), B the right-hand side (`rhs`, K × N). Both are packed
//! into micro-panels: A in panels of MR rows, B in panels of NR columns. The microkernel multiplies one of each and keeps the
//! MR × NR sums in vector registers while it walks over KC values of K.
//!
//! | module | |
//! |---|---|
//! | [`blocking`] | MR, NR, KC, MC |
//! | [`pack_lhs`], [`pack_rhs`], [`pack_rhs_words`] | the packed micro-panels |
//! | [`lhs`] | a packed left-hand side, quantized if the right-hand side is |
//! | [`bf16_rows`] | matrices that are in bfloat16 before they are packed |
//! | [`quantize`], [`rhs_words`] | bfloat16 and int8: rounding, scales, zero-point compensation |
//! | [`microkernel`], [`dot_product`] | the innermost loops |
//! | [`output`] | how sums of registers reach memory |
//! | [`macrokernel`] | one product on one thread |
//! | [`schedule`], [`operand`] | one product on all threads |
//! | [`packed_product`] | a product that is packed already, for measurements |
//! | [`small`] | products too small to pack |
//!
//! Each element of C is summed in the order of K alone. It is the same bit for bit whatever else is in the batch and however the
//! work is scheduled.

pub(super) mod bf16_rows;
mod blocking;
mod dot_product;
pub(super) mod lhs;
pub(super) mod macrokernel;
mod microkernel;
pub(super) mod operand;
mod output;
mod pack_lhs;
pub(crate) mod pack_rhs;
mod pack_rhs_words;
pub(crate) mod packed_product;
mod prefetch;
pub(super) mod quantize;
mod rhs_words;
pub(super) mod schedule;
pub(super) mod small;
#[cfg(test)]
mod tests;
pub(super) mod transpose;

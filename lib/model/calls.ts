/** The words of a schedule: latents, networks, and one call of a network. */

/** y is the answer, z the latent (z1, z2, … where there are several); a vector at every position, [B, S, D]. */
export type LatentId = 'y' | 'z' | `z${number}`;
/** net is the one network of a TRM. Where there are two, f_L writes z and f_H writes y. */
export type NetId = 'net' | 'fL' | 'fH';
/** What a call may read: a latent, or x, the embedded puzzle. */
export type Source = LatentId | 'x';

/** One call of a network: write ← net(sum of read), the sum taken from left to right. */
export interface Call {
  readonly net: NetId;
  readonly write: LatentId;
  readonly read: readonly Source[];
  /** false: the result is a constant for all later calls (torch.no_grad). */
  readonly gradient: boolean;
}

/** The recursion of one supervision step, as an engine interprets it. */
export interface Schedule {
  /** The latents carried from one supervision step to the next, y first where there is one. */
  readonly latents: readonly LatentId[];
  readonly nets: readonly NetId[];
  /** The calls in their order; those without gradient come first. */
  readonly calls: readonly Call[];
  /** The latent that the answer head and the halting head read. */
  readonly answer: LatentId;
}

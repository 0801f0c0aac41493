/** The vocabulary of a schedule: latents, networks, and calls of a network. */

/** y is the answer, z the latent (z1, z2, … if there are several); each is [B, S, D], a vector at every position. */
export type LatentId = 'y' | 'z' | `z${number}`;
/** net is the single network of a TRM. With two networks, f_L writes z and f_H writes y. */
export type NetId = 'net' | 'fL' | 'fH';
/** What a call may read: a latent, or x, the embedded puzzle. */
export type Source = LatentId | 'x';

/** One call of a network: write ← net(sum of read), summed from left to right. */
export interface Call {
  readonly net: NetId;
  readonly write: LatentId;
  readonly read: readonly Source[];
  /** false: no gradient flows back through the result (torch.no_grad). */
  readonly gradient: boolean;
}

/** The recursion of one supervision step, as an engine interprets it. */
export interface Schedule {
  /** The latents carried from one supervision step to the next, y first if there is one. */
  readonly latents: readonly LatentId[];
  readonly nets: readonly NetId[];
  /** The calls in their order; those without gradient come first. */
  readonly calls: readonly Call[];
  /** The latent that the answer head and the halting head read. */
  readonly answer: LatentId;
}

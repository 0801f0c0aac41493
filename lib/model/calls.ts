/** The words of a schedule: latents, networks, and one call of a network. */

export type LatentId = 'y' | 'z' | `z${number}`;
export type NetId = 'net' | 'fL' | 'fH';
export type Source = LatentId | 'x';

/** One call of a network: write ← net(sum of read), the sum taken from left to right. */
export interface Call {
  readonly net: NetId;
  readonly write: LatentId;
  readonly read: readonly Source[];
  /** False: the result is a constant for all later calls (torch.no_grad). */
  readonly gradient: boolean;
}

/** Everything an engine needs to know about the recursion. */
export interface Schedule {
  /** The latents carried from one supervision step to the next, y first where there is one. */
  readonly latents: readonly LatentId[];
  readonly nets: readonly NetId[];
  /** The calls of one supervision step. */
  readonly calls: readonly Call[];
  /** The latent that the answer head and the halting head read. */
  readonly answer: LatentId;
}

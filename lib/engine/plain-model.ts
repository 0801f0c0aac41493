/** Describes a model by plain numbers and lists, for engines that are written in another language. */
import { innerSize, positionsOf, type ModelConfig } from '../model/config.js';
import type { Schedule } from '../model/calls.js';
import { latentInitName, netPath } from '../model/parameters.js';

/** One call of a network, by indices. */
export interface PlainCall {
  /** Index into `nets`. */
  readonly net: number;
  /** Index into `latents`. */
  readonly write: number;
  /** Indices into `latents`; −1 is x, the embedded puzzle. */
  readonly read: readonly number[];
  readonly gradient: boolean;
}

/** A model's configuration and schedule for such an engine. */
export interface PlainModel {
  readonly sequence: number;
  readonly prefix: number;
  readonly hidden: number;
  readonly vocabulary: number;
  readonly puzzleSize: number;
  readonly puzzleIds: number;
  readonly layers: number;
  /** 0: an MLP over the positions instead of attention. */
  readonly heads: number;
  readonly rotary: boolean;
  readonly learnedPositions: boolean;
  /** Inner sizes of the MLP over positions and of the one over channels. */
  readonly tokenInner: number;
  readonly channelInner: number;
  /** Names of the latents' start values. */
  readonly latents: readonly string[];
  /** Prefixes of the networks' parameter names. */
  readonly nets: readonly string[];
  readonly calls: readonly PlainCall[];
  /** The latent that the heads read. */
  readonly answer: number;
  readonly learnsContinue: boolean;
}

/** The plain form of a model. */
export function plainModel(config: ModelConfig, schedule: Schedule): PlainModel {
  return {
    sequence: config.sequenceLength,
    prefix: config.puzzlePrefix,
    hidden: config.hiddenSize,
    vocabulary: config.vocabSize,
    puzzleSize: config.puzzleEmbeddingSize,
    puzzleIds: config.puzzleIds,
    layers: config.layers,
    heads: config.mixer === 'mlp' ? 0 : config.heads,
    rotary: config.positions === 'rotary',
    learnedPositions: config.positions === 'learned',
    tokenInner: innerSize(config, positionsOf(config)),
    channelInner: innerSize(config, config.hiddenSize),
    latents: schedule.latents.map(latentInitName),
    nets: schedule.nets.map(netPath),
    calls: schedule.calls.map(({ net, write, read, gradient }) => ({
      net: schedule.nets.indexOf(net),
      write: schedule.latents.indexOf(write),
      read: read.map((source) => (source === 'x' ? -1 : schedule.latents.indexOf(source))),
      gradient,
    })),
    answer: schedule.latents.indexOf(schedule.answer),
    learnsContinue: config.halting === 'halt-or-continue',
  };
}

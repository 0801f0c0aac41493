/** The limit of a search, as evaluate and solve take it. */
import { numberOf, type Arguments, type Option } from './command.js';

export const formsOption: Option = {
  value: 'N',
  range: [1, 65_536],
  about: 'most forms of a puzzle that the model is not sure of. Default 128, of mazes all 8',
};

/** Most forms of a puzzle. */
export function mostFormsOf(args: Arguments): number {
  return numberOf(args, 'forms') ?? 128;
}

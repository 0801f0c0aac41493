/** The limit of a search, as evaluate and solve take it. */
import { integer, type Arguments, type Option } from './command.js';

export const formsOption: Option = {
  value: 'N',
  about: 'most forms of a puzzle that the model is not sure of, 1 to 65536. Default 128, of mazes all 8',
};

/** Most forms of a puzzle. */
export function mostFormsOf(args: Arguments): number {
  return integer(args, 'forms', 1, 65_536) ?? 128;
}

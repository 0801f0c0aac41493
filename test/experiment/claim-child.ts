/** Goes for the folders that it is given when it is told to, says which it got, and holds them until it is let go. */
import { claim } from '../../lib/experiment/claim.js';

const folders = process.argv.slice(2);
process.on('message', () => process.send?.(folders.filter((folder) => claim(folder) !== undefined)));
process.send?.('ready');

/** Makes folders below those that another process makes too, once it is told to: node folder-child.js FOLDER COUNT. */
import path from 'node:path';
import { makeFolder } from '../lib/write-file.js';

const [folder, count] = process.argv.slice(2);
if (folder === undefined || count === undefined) throw new Error('expected a folder and a number');
process.once('message', () => {
  for (let i = 0; i < Number(count); i++) makeFolder(path.join(folder, String(i), 'b', 'c'));
  process.disconnect();
});
process.send?.('ready');

/** A process that holds a torch engine and trains for ever: for the test that kills it. */
import { createTorchEngine } from '../../lib/engine/torch/engine.js';
import { initialParameters } from '../../lib/model/parameters.js';
import { Random } from '../../lib/random.js';
import { odd, request } from './small.js';

const engine = await createTorchEngine(odd, { device: 'cpu', threads: 1, devices: Number(process.argv[2]) });
await engine.writeTensors('parameters', initialParameters(odd, new Random(0)));
const state = engine.createState(4);
process.send?.('started');
for (let step = 0; ; step++) await engine.trainStep(state, request(odd, 4, step === 0 ? 0 : 1));

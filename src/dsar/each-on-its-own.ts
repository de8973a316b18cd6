// Where it came from; sweeps of every layer use it now.
export { eachOnItsOwn } from '../jobs/each-on-its-own.js';

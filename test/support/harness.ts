// Entry point to the nodes of tests. A test chooses how much of a node it runs:
//   - `startOperatorSide`: the operator API in this process, around the real machine; its steps succeed at once.
//   - `GatedNode`: the same with a public server, and a gate before every step.
//   - `Home` and its `RealNode`: the built command line, with every process it has.
// All of them share one id, one secret, one set of patient settings, and tokens. Waits are in `until.ts`.
export { GatedNode } from './harness/gated-node.ts';
export {
  type Call,
  makeNode,
  type OperatorResponse,
  type OperatorSide,
  type OperatorSideOptions,
  startNode,
  startOperatorSide,
  stillSide,
} from './harness/operator-side.ts';
export {
  accessToken,
  bearer,
  json,
  longDeadlines,
  nodeId,
  operatorSettings,
  requestToken,
  secret,
  signingKey,
} from './harness/shared.ts';
export { type Exit, Home, type HomeOptions, RealNode, type StartOptions } from './harness/whole-node.ts';

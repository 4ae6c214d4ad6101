export {
  definitionOf,
  PARAMETERS,
  type ParameterName,
  parameterOf,
  type RunParameters,
  type ValueOf,
} from './definitions';
export type { Parameter } from './kinds';
export { defaultsOf, type Layer, type Resolved, resolve } from './layers';
export {
  fingerprintOf,
  type Judgement,
  RequestedRun,
  readRequest,
  type Settings,
  type Wanted,
} from './request';

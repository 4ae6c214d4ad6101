export { causeOf, RequestedCause, runIdOf } from './causes';
export {
  definitionOf,
  PARAMETERS,
  type ParameterName,
  parameterOf,
  type RunParameters,
  type ValueOf,
} from './definitions';
export { type ModeSchedule, type ModeUpload, schedulesOf, uploadsOf } from './deployed';
export { deploymentProblems } from './deployment';
export { type CronDays, type CronTimes, readExpression, type ScheduleTimes } from './expressions';
export type { Parameter } from './kinds';
export { defaultsOf, type Layer, type Resolved, resolve } from './layers';
export { REQUEST_LIMITS } from './limits';
export {
  fingerprintOf,
  type Judgement,
  RequestedRun,
  readRequest,
  type Settings,
  type Wanted,
} from './request';
export { secretLayer } from './secret-layer';
export { REQUESTS_PREFIX, type Schedule, type Upload } from './triggers';
export {
  ANSWER_SUFFIX,
  meaningOf,
  requestFor,
  requestIn,
  type UploadedObject,
  type UploadMeaning,
} from './uploaded';

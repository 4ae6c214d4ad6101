export { heldUntil, pullBrakes } from './brakes';
export { changeOf, foresee, lookOf } from './change';
export { execute } from './execute';
export { exportNewsOf } from './export-news';
export { hasRecovered, lossOf, readinessOf, sentenceOf } from './file-system-news';
export {
  again,
  begin,
  conclude,
  type Handler,
  ignore,
  look,
  observer,
  opener,
  proceed,
  reaction,
} from './handler';
export { idAtBatch, newsOf, shownProgress } from './job-news';
export * from './ports';
export { afterKeep, afterRelease } from './release-news';
export { sharing } from './sharing';

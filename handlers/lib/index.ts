export { changeOf, foresee, lookOf } from './change';
export { execute } from './execute';
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
export { idAtBatch, newsOf } from './job-news';
export * from './ports';

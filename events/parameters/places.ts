import { overlaps } from '../repository';
import type { RunParameters } from './definitions';
import { uploadsOf } from './deployed';
import type { Settings } from './request';
import { contain, REQUESTS_PREFIX } from './triggers';

/** The prefix of the results bucket below which every run has its own. */
export const RUNS_PREFIX = 'runs/';

/** Why the places in S3 that a run names cannot be its places, with the way out. */
export function badPlaces(
  { dataRepositoryPath: data, inputRepositoryPath: input }: RunParameters,
  own: string,
  settings: Settings,
): string[] {
  const reasons: string[] = [];
  const runs = `s3://${settings.resultsBucket}/${RUNS_PREFIX}`;
  if (data && overlaps(data, runs)) {
    reasons.push(
      `dataRepositoryPath ${data} overlaps ${runs}, where every run has a place of its own: leave it out, or name a place beside that`,
    );
  }
  const trigger = data && triggerIn(data, settings);
  if (trigger) {
    reasons.push(
      `dataRepositoryPath ${data} overlaps ${trigger}, where every new object asks for a run: name a place beside that`,
    );
  }
  // FSx refuses two associations of one file system whose places overlap.
  if (input && overlaps(input, data ?? own)) {
    reasons.push(
      `inputRepositoryPath ${input} overlaps ${data ?? own}, where results go: name places beside each other`,
    );
  }
  return reasons;
}

/** A place whose uploads start runs, and into which results would go: run after run, for ever. */
function triggerIn(data: string, settings: Settings): string | undefined {
  const { intakeBucket } = settings;
  if (!intakeBucket) return undefined;
  const prefixes = [REQUESTS_PREFIX, ...uploadsOf(settings).map(({ prefix }) => prefix)];
  const folder = data.endsWith('/') ? data : `${data}/`;
  return prefixes
    .map((prefix) => `s3://${intakeBucket}/${prefix}`)
    .find((trigger) => contain(trigger, folder));
}

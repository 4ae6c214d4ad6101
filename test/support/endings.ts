import type { Run, RunEventType } from '../../events';
import { KEPT_TAG, RUN_TAG, tagOf } from '../../handlers/aws/fsx-tags';
import type { Cloud } from '../../sim/cloud';
import type { Simulated } from '../../sim/simulator';
import { resultOf } from '../../sim/workload';
import { HOUR_MS, type Played, play, type Way } from './plays';

/** What a run named r1 with the usual work leaves in S3. */
export const RESULT = resultOf('r1', HOUR_MS);

/** What is left of a run: everything that somebody would look for. */
export interface Ending {
  readonly status: Run['status'];
  /** The verdict's sentence, as the journal has it last. */
  readonly says: string;
  readonly storage: 'gone' | 'kept' | 'there';
  /** The objects at the run's place in S3, by name. Reports have the name of their folder. */
  readonly s3: { readonly [name: string]: string };
  readonly late: readonly string[];
  readonly dead: readonly string[];
}

/** How a run ended. */
export async function endingOf(played: Played, runId = 'r1'): Promise<Ending> {
  const { cloud, late } = played;
  const run = await cloud.runs.get(runId);
  if (!run) throw new Error(`there is no run ${runId}`);
  return {
    status: run.status,
    says: await lastSentence(cloud, runId),
    storage: storageOf(cloud, runId),
    s3: objectsOf(run, played),
    late: late.filter((each) => each.startsWith(`${runId} `)),
    dead: cloud.deadLetters.read().map(({ handler, error }) => `${handler}: ${error}`),
  };
}

/** The end of a run that did what was asked. */
export const GOOD_END: Ending = {
  status: 'succeeded',
  says: '',
  storage: 'gone',
  s3: { result: RESULT },
  late: [],
  dead: [],
};

/** The end of a run that did not, with nothing left of it. */
export const BAD_END: Ending = { ...GOOD_END, status: 'failed', s3: {} };

/** The end of a run whose storage waits for somebody. */
export const RETAINED: Ending = { ...BAD_END, status: 'retained', storage: 'there' };

/** Names of events in the order of the journal. */
export async function typesOf({ cloud }: Simulated, runId = 'r1'): Promise<RunEventType[]> {
  // The journal only holds what the table of transitions knows.
  return (await cloud.runs.journal(runId)).map(({ type }) => type as RunEventType);
}

/** Events that close a run, or say why it waits for somebody. */
const CLOSING = ['RunSucceeded', 'RunFailed', 'RunCancelled', 'RunRejected', 'StorageRetained'];

async function lastSentence({ runs }: Cloud, runId: string): Promise<string> {
  const last = (await runs.journal(runId)).findLast(({ type }) => CLOSING.includes(type));
  // Each of these has a reason, a verdict with one, or neither.
  const data = last?.data as { reason?: string; verdict?: { reason?: string } } | undefined;
  return data?.reason ?? data?.verdict?.reason ?? '';
}

function storageOf({ volumes, fsx }: Cloud, runId: string): Ending['storage'] {
  const kept = [
    ...volumes
      .all()
      .filter((volume) => volume.runId === runId)
      .map(({ isKept }) => isKept === true),
    ...fsx
      .all()
      .filter(({ tags: Tags }) => tagOf({ Tags }, RUN_TAG) === runId)
      .map(({ tags: Tags }) => tagOf({ Tags }, KEPT_TAG) !== undefined),
  ];
  if (kept.length === 0) return 'gone';
  return kept.every((each) => each) ? 'kept' : 'there';
}

function objectsOf({ results: { bucket, prefix } }: Run, { buckets }: Simulated): Ending['s3'] {
  const names = buckets.list(bucket, prefix).map((key) => key.slice(prefix.length));
  return Object.fromEntries(
    names.map((name) =>
      name.startsWith('_ebbtide/')
        ? ['_ebbtide/reports', 'a report']
        : [name, buckets.get(bucket, `${prefix}${name}`) ?? ''],
    ),
  );
}

/** One thing that goes wrong, and what is left then. */
export interface Row {
  readonly wrong: string;
  /** Made anew for each run: what fails so many times counts. */
  readonly scenario: () => Parameters<typeof play>[1];
  readonly end: Ending;
  /** Auto-export has brought the result before it went wrong. */
  readonly isBroughtAlong?: true;
  /** What the journal says, in this order, perhaps with something between. */
  readonly journal?: readonly RunEventType[];
}

/** Plays a row, and holds what is left against it. */
export async function expectRow(way: Way, row: Row): Promise<Played> {
  const { scenario, end, isBroughtAlong, journal = [] } = row;
  const played = await play(way, scenario());
  const s3 = isBroughtAlong && way.mode === 'autoExport' ? { result: RESULT } : end.s3;
  expect(await endingOf(played)).toEqual({ ...end, s3 });
  const types = await typesOf(played);
  let from = 0;
  for (const type of journal) {
    expect(types.slice(from)).toContain(type);
    from = types.indexOf(type, from) + 1;
  }
  return played;
}

/** Matches a sentence of the verdict; an ending holds it where a text would be. */
export function says(sentence: RegExp): string {
  // An asymmetric matcher stands for the text that it matches.
  return expect.stringMatching(sentence) as unknown as string;
}

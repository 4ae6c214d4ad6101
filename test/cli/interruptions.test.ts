import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { localImage, localSettings } from '../../cli/local-settings';
import { resultsOf } from '../../cli/results';
import { isLast } from '../../events';
import { until } from '../../sim/clock';
import { homeAt } from '../../sim/home';
import type { HostNote } from '../../sim/ledger';
import { type Local, openLocal } from '../../sim/local';
import { tempHome } from '../support/cli';

const temp = tempHome();
const home = homeAt(temp.path);
afterAll(() => temp.remove());

interface Watch {
  /** Looks at the folders of a running attempt, and says when its host shall go. */
  readonly isMoment: (moment: { data: string; begunMs: number; starts: number }) => boolean;
  readonly times: number;
  readonly environment?: { readonly [name: string]: string };
}

const SMALL = { FILE_COUNT: '6', FILE_SIZE: '4M', WORK_SECONDS: '0.15' };
/** More work than all attempts that are cut short can do. */
const LONG = { FILE_COUNT: '6', FILE_SIZE: '4M', WORK_SECONDS: '0.6' };
/** Large enough that the copy takes a while. */
const LARGE = { FILE_COUNT: '1', FILE_SIZE: '128M', WORK_SECONDS: '0' };

/** Runs the sample job and kills its host without warning at chosen moments. */
async function runKilled(runId: string, { isMoment, times, environment = SMALL }: Watch) {
  let kills = 0;
  let starts = 0;
  const notes: HostNote[] = [];
  const box: { local?: Local } = {};
  box.local = openLocal({
    home,
    speed: 1000,
    settings: () => localSettings(home),
    imageOf: localImage,
    onNote(note, task) {
      notes.push(note);
      if (note.kind !== 'started' || kills >= times) return;
      starts += 1;
      const begun = performance.now();
      const data = home.dataOf(task.wanted.storage);
      const watch = setInterval(() => {
        const isOver = notes.at(-1) !== note;
        const begunMs = performance.now() - begun;
        if (!isOver && !isMoment({ data, begunMs, starts })) return;
        clearInterval(watch);
        if (!isOver && box.local?.cloud.batch.interrupt(task.jobId, 0)) kills += 1;
      }, 1);
    },
  });
  const { cloud } = box.local;
  cloud.request({ runId, mode: 'onlyEBS', jobs: [{ name: 'main', environment, attempts: 10 }] });
  await until(async () => {
    const run = await cloud.runs.get(runId);
    return run !== undefined && (isLast(run.status) || run.status === 'retained');
  }, 50_000);
  box.local.close();
  const run = await cloud.runs.get(runId);
  if (!run) throw new Error(`${runId} never came to be`);
  return { run, kills, results: resultsOf(run, home) };
}

describe('the sample job, killed without warning', () => {
  it('five times at random moments, leaves the right result', async () => {
    const afterMs = Array.from({ length: 5 }, () => 20 + Math.random() * 500);
    const { run, kills, results } = await runKilled('random', {
      times: 5,
      environment: LONG,
      isMoment: ({ begunMs, starts }) => begunMs > (afterMs[starts - 1] ?? 0),
    });
    expect({ status: run.status, verdict: results.verdict.kind, afterMs }).toEqual({
      status: 'succeeded',
      verdict: 'right',
      afterMs,
    });
    expect(kills).toBe(5);
  });

  it('while a checkpoint has got its name and the one before is not deleted, goes on from it', async () => {
    const { run, kills, results } = await runKilled('rename', {
      times: 3,
      isMoment: ({ data }) =>
        readdirSync(data).filter((name) => /^checkpoint-\d{4}$/.test(name)).length > 1,
    });
    expect(kills).toBeGreaterThanOrEqual(1);
    expect(run.status).toBe('succeeded');
    expect(results.verdict.kind).toBe('right');
  });

  it('during the copy to S3, copies again', async () => {
    const incoming = join(home.buckets, '.incoming');
    const { run, kills, results } = await runKilled('copy', {
      times: 2,
      environment: LARGE,
      isMoment: () => existsSync(incoming) && readdirSync(incoming).length > 0,
    });
    expect(kills).toBeGreaterThanOrEqual(1);
    expect(run.status).toBe('succeeded');
    expect(results.verdict.kind).toBe('right');
  });
});

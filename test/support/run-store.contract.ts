import {
  type AnyDraft,
  JobRequested,
  JobSubmitted,
  ReleaseStarted,
  RequestRefused,
  type Run,
  RunAccepted,
  RunSucceeded,
  StorageReleased,
  StorageRequested,
  VolumeAvailable,
  VolumeCreated,
} from '../../events';
import { type Change, changeOf, type Runs } from '../../handlers';
import { job, later, NOW } from './builders';

const VOLUME = 'vol-0123456789abcdef0';
const verdict = { kind: 'succeeded' } as const;

/** What a run is made of until its volume exists, commit by commit. */
const accepted = RunAccepted.of({
  parameters: {},
  jobs: [job()],
  results: { bucket: 'results', prefix: 'runs/r1/' },
  fingerprint: '00000000000000',
});
const requested = StorageRequested.of({ kind: 'volume', zone: 'us-east-1a', sizeGib: 500 });
const created = VolumeCreated.of({ volumeId: VOLUME, zone: 'us-east-1a' });
const available = VolumeAvailable.of({ volumeId: VOLUME, zone: 'us-east-1a' });
const refused = RequestRefused.of({ request: 'somebody', reason: 'else', requestId: 'q1' });

function changed(before: Run | undefined, drafts: readonly AnyDraft[], runId = 'r1'): Change {
  return changeOf(before, { runId, mode: 'onlyEBS', drafts, now: NOW });
}

/** What a table of runs must do, whoever keeps it. `makeStore` gives an empty one. */
export function runStoreContract(name: string, makeStore: () => Promise<Runs> | Runs): void {
  /** A store with a run in it that got this far. */
  async function storeWith(...drafts: readonly AnyDraft[]): Promise<{ runs: Runs; run: Run }> {
    const runs = await makeStore();
    const change = changed(undefined, [accepted, requested, ...drafts]);
    await runs.commit(change);
    return { runs, run: change.run };
  }
  const lookOf = async (runs: Runs) => (await runs.look('r1'))?.lookAt;

  describe(`${name} keeps runs`, () => {
    it('and knows nothing of a run that was never written', async () => {
      const runs = await makeStore();
      expect([
        await runs.get('r1'),
        await runs.look('r1'),
        await runs.runOf(VOLUME),
        await runs.journal('r1'),
      ]).toEqual([undefined, undefined, undefined, []]);
    });

    it('and says that the first commit of a run was written', async () => {
      const runs = await makeStore();
      expect(await runs.commit(changed(undefined, [accepted]))).toBe(true);
    });

    it('as they were written', async () => {
      const { runs, run } = await storeWith();
      expect(JSON.stringify(await runs.get('r1'))).toBe(JSON.stringify(run));
    });

    it('each by itself', async () => {
      const { runs, run } = await storeWith();
      await runs.commit(changed(undefined, [accepted], 'r2'));
      expect([(await runs.get('r1'))?.seq, (await runs.get('r2'))?.seq]).toEqual([run.seq, 1]);
    });

    it('and does not begin a run twice', async () => {
      const { runs } = await storeWith();
      expect(await runs.commit(changed(undefined, [accepted]))).toBe(false);
    });

    it('and does not change a run that is not there', async () => {
      const { run } = await storeWith();
      const runs = await makeStore();
      expect([await runs.commit(changed(run, [created])), await runs.get('r1')]).toEqual([
        false,
        undefined,
      ]);
    });

    it('and writes nothing at all of a change that comes too late', async () => {
      const { runs, run } = await storeWith();
      await runs.commit(changed(run, [refused]));
      const before = [await runs.get('r1'), await runs.journal('r1'), await runs.look('r1')];
      await runs.commit(changed(run, [created, ReleaseStarted.of({ verdict })]));
      expect([await runs.get('r1'), await runs.journal('r1'), await runs.look('r1')]).toEqual(
        before,
      );
    });

    it('and leads nowhere from the storage of a change that came too late', async () => {
      const { runs, run } = await storeWith();
      await runs.commit(changed(run, [refused]));
      await runs.commit(changed(run, [created]));
      expect(await runs.runOf(VOLUME)).toBe(undefined);
    });

    it('so that one of two changes of the same run wins', async () => {
      const { runs, run } = await storeWith();
      const both = [runs.commit(changed(run, [created])), runs.commit(changed(run, [refused]))];
      expect((await Promise.all(both)).sort()).toEqual([false, true]);
    });

    it('so that one of two beginnings wins', async () => {
      const runs = await makeStore();
      const begun = changed(undefined, [accepted]);
      const both = [runs.commit(begun), runs.commit(begun)];
      expect((await Promise.all(both)).sort()).toEqual([false, true]);
    });
  });

  describe(`${name} keeps journals`, () => {
    it('with every event of a change', async () => {
      const { runs } = await storeWith(created);
      expect((await runs.journal('r1')).map(({ type }) => type)).toEqual([
        'RunAccepted',
        'StorageRequested',
        'VolumeCreated',
      ]);
    });

    it('in the order of their seq, over more commits than one digit counts', async () => {
      const { runs, run } = await storeWith();
      let now = run;
      for (let count = 0; count < 12; count += 1) {
        const change = changed(now, [refused]);
        await runs.commit(change);
        now = change.run;
      }
      expect((await runs.journal('r1')).map(({ seq }) => seq)).toEqual(
        Array.from({ length: 14 }, (_, index) => index + 1),
      );
    });

    it('event by event as they were written', async () => {
      const runs = await makeStore();
      const change = changed(undefined, [accepted]);
      await runs.commit(change);
      expect(await runs.journal('r1')).toEqual(JSON.parse(JSON.stringify(change.events)));
    });

    it('of one run each', async () => {
      const { runs } = await storeWith();
      await runs.commit(changed(undefined, [accepted], 'r2'));
      expect((await runs.journal('r2')).length).toBe(1);
    });
  });

  describe(`${name} keeps looks`, () => {
    it('with what the sweep needs to know', async () => {
      const { runs, run } = await storeWith(created, available);
      const named = { job: 'main', submission: 1 };
      const drafts = [
        JobRequested.of({ ...named, jobName: 'ebbtide-r1_main_1' }),
        JobSubmitted.of({ ...named, jobId: 'job-1' }),
      ];
      await runs.commit(changed(run, drafts));
      expect(await runs.look('r1')).toMatchObject({
        runId: 'r1',
        status: 'running',
        jobs: [{ jobId: 'job-1', status: 'SUBMITTED', attempt: 0 }],
        storageId: VOLUME,
        everySeconds: 300,
      });
    });

    it('that name no job of which Batch has told no id', async () => {
      const { runs, run } = await storeWith(created, available);
      const asked = { job: 'main', submission: 1, jobName: 'ebbtide-r1_main_1' };
      await runs.commit(changed(run, [JobRequested.of(asked)]));
      expect(await runs.look('r1')).toMatchObject({
        status: 'running',
        lookAt: later(30),
        jobs: [],
      });
    });

    it('and replaces the one of the status before', async () => {
      const { runs, run } = await storeWith();
      await runs.commit(changed(run, [ReleaseStarted.of({ verdict })]));
      expect((await runs.look('r1'))?.status).toBe('releasing');
    });

    it('and has none of a run that is over', async () => {
      const { runs, run } = await storeWith();
      const end = [ReleaseStarted.of({ verdict }), StorageReleased.of({}), RunSucceeded.of({})];
      await runs.commit(changed(run, end));
      expect([await runs.look('r1'), await runs.looks('releasing')]).toEqual([undefined, []]);
    });

    it('by their status', async () => {
      const { runs } = await storeWith();
      await runs.commit(changed(undefined, [accepted], 'r2'));
      const found = await Promise.all([runs.looks('queued'), runs.looks('provisioning')]);
      expect(found.map((looks) => looks.map(({ runId }) => runId))).toEqual([['r2'], ['r1']]);
    });

    it('and shows those that are due by a time, that time included', async () => {
      const { runs } = await storeWith();
      const due = await Promise.all([2, 3, 4].map((s) => runs.looks('provisioning', later(s))));
      expect(due.map(({ length }) => length)).toEqual([0, 1, 1]);
    });
  });

  describe(`${name} moves a look`, () => {
    const again = { runId: 'r1', status: 'provisioning' } as const;

    it.each([
      ['back where it is past', { lookAt: later(60), now: later(3) }, 60],
      ['forward where it lies ahead', { lookAt: later(1), now: later(0) }, 1],
      ['nowhere where an earlier one lies ahead', { lookAt: later(60), now: later(2) }, 3],
    ])('%s', async (_how, { lookAt, now }, seconds) => {
      const { runs } = await storeWith();
      await runs.lookAgain({ ...again, lookAt, now });
      expect(await lookOf(runs)).toBe(later(seconds));
    });

    it('only while the run is in that status', async () => {
      const { runs } = await storeWith();
      await runs.lookAgain({ ...again, status: 'ready', lookAt: later(60), now: later(30) });
      expect(await lookOf(runs)).toBe(later(3));
    });

    it('of no run that is over or unknown', async () => {
      const runs = await makeStore();
      await runs.lookAgain({ ...again, lookAt: later(60), now: later(30) });
      expect(await runs.look('r1')).toBe(undefined);
    });

    it('and nothing else', async () => {
      const { runs, run } = await storeWith(created);
      const before = await runs.look('r1');
      await runs.lookAgain({ ...again, lookAt: later(60), now: later(30) });
      expect([await runs.look('r1'), (await runs.get('r1'))?.seq]).toEqual([
        { ...before, lookAt: later(60) },
        run.seq,
      ]);
    });

    it('where the table finds it when it is due', async () => {
      const { runs } = await storeWith();
      await runs.lookAgain({ ...again, lookAt: later(60), now: later(30) });
      const due = await Promise.all([59, 60].map((s) => runs.looks('provisioning', later(s))));
      expect(due.map(({ length }) => length)).toEqual([0, 1]);
    });
  });

  describe(`${name} leads from storage to its run`, () => {
    it('from the commit on that names it', async () => {
      const { runs } = await storeWith(created);
      expect(await runs.runOf(VOLUME)).toBe('r1');
    });

    it('for ever: its last notifications come when the run is over', async () => {
      const { runs, run } = await storeWith(created);
      const end = [ReleaseStarted.of({ verdict }), StorageReleased.of({}), RunSucceeded.of({})];
      await runs.commit(changed(run, end));
      expect(await runs.runOf(VOLUME)).toBe('r1');
    });
  });

  describe(`${name} hands out copies`, () => {
    /** Writes into a value as somebody would who does not heed `readonly`. */
    const spoil = (value: unknown) => Object.assign(value as object, { spoiled: true });
    const reads: Record<string, (runs: Runs) => Promise<unknown>> = {
      run: (runs) => runs.get('r1'),
      event: async (runs) => (await runs.journal('r1'))[0],
      look: (runs) => runs.look('r1'),
    };

    // TODO: `look` joins them when test/sim/run-store.test.ts says that the twin copies its looks.
    it.each(Object.entries(reads).filter(([what]) => what !== 'look'))(
      'of a %s',
      async (_what, read) => {
        const { runs } = await storeWith();
        spoil(await read(runs));
        expect(await read(runs)).not.toHaveProperty('spoiled');
      },
    );

    it.each(['run', 'look', 'event'] as const)(
      'and keeps its own of the %s it is given',
      async (what) => {
        const runs = await makeStore();
        const change = changed(undefined, [accepted, requested]);
        await runs.commit(change);
        spoil({ run: change.run, look: change.look, event: change.events[0] }[what]);
        const all = await Promise.all(Object.values(reads).map((read) => read(runs)));
        expect(all.filter((value) => Object.hasOwn(value as object, 'spoiled'))).toEqual([]);
      },
    );
  });
}

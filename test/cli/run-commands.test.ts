import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Mode } from '../../events';
import { dataOf, ebb, onlyRun, tempHome } from '../support/cli';

const FAST = ['--speed', '2000'] as const;
const MODES: readonly Mode[] = ['onlyEBS', 'taskExport', 'autoExport'];
/** Fails until somebody has mended what it finds on its storage. */
const TO_MEND =
  'echo start >> starts; [ -e mended ] || exit 3; [ "$S3_BUCKET_NAME" ] && aws s3 cp --quiet starts "s3://$S3_BUCKET_NAME/$EBBTIDE_RESULTS_PREFIX"';
let home: ReturnType<typeof tempHome>;

beforeEach(() => {
  home = tempHome();
});
afterEach(() => home.remove());

function local(command: string, ...words: readonly string[]) {
  return ebb(home.path, 'local', command, ...words);
}

/** A run of the mode that its failed job has retained. */
async function retained(mode: Mode) {
  await local('run', ...FAST, '--mode', mode, '--command', TO_MEND);
  const run = onlyRun(home.path);
  expect(run.status).toBe('retained');
  return run;
}

describe.each(MODES)('a retained run of mode %s', (mode) => {
  it('goes on when it was mended, on the storage as it was, to its results', async () => {
    const run = await retained(mode);
    expect(readFileSync(join(dataOf(home.path, run), 'starts'), 'utf8')).toBe('start\n');
    writeFileSync(join(dataOf(home.path, run), 'mended'), '');
    const { code, out, said } = await local('resume', run.id, ...FAST);
    expect(out).toContain(`${run.id} succeeded`);
    expect(said).toMatch(/Storage mounted .* again/);
    expect(code).toBe(0);
    const result = join(home.path, 'buckets', 'results', 'runs', run.id, 'starts');
    expect(readFileSync(result, 'utf8')).toBe('start\nstart\n');
    expect(existsSync(dataOf(home.path, run))).toBe(false);
  });

  it('fails again where nothing was mended, and is retained again', async () => {
    const run = await retained(mode);
    const { code, out } = await local('resume', run.id, ...FAST);
    expect(code).toBe(1);
    expect(out).toContain(`${run.id} retained  Job main failed with exit code 3.`);
    expect(existsSync(dataOf(home.path, run))).toBe(true);
  });

  it('is not given up without being told so in words, and is then', async () => {
    const run = await retained(mode);
    const first = await local('release', run.id, ...FAST);
    expect(first.code).toBe(1);
    expect(first.out).toMatch(/refused: its storage may hold results that are not in S3/);
    expect(existsSync(dataOf(home.path, run))).toBe(true);
    const second = await local('release', run.id, '--discard', ...FAST);
    expect(second.code).toBe(0);
    expect(second.out).toContain(`${run.id} failed  Job main failed with exit code 3.`);
    expect(existsSync(dataOf(home.path, run))).toBe(false);
  });

  it('is not cancelled, and told what is there in its place', async () => {
    const run = await retained(mode);
    const { code, out } = await local('cancel', run.id, ...FAST);
    expect(code).toBe(1);
    expect(out).toMatch(/refused: the run is retained: .*[Rr]elease/);
    expect(onlyRun(home.path).status).toBe('retained');
  });
});

describe('a retained run', () => {
  it('says how to go on and how to give it up, with commands that there are', async () => {
    const { id } = await retained('onlyEBS');
    const { out } = await local('show', id);
    const place = `--home '${home.path}'`;
    expect(out).toContain(`by the same command: npx ebb local resume ${id} ${place}`);
    expect(out).toContain(`give it up: npx ebb local release ${id} --discard ${place}`);
  });

  it('resumes again and again, at once', async () => {
    const { id } = await retained('onlyEBS');
    for (let times = 0; times < 2; times += 1) {
      const { out } = await local('resume', id, ...FAST);
      expect(out).toContain(`${id} retained  Job main failed with exit code 3.`);
    }
  });

  it('is looked at by retry, where no session is at work, and changes nothing', async () => {
    const { id, seq } = await retained('taskExport');
    const { code, said } = await local('retry', id);
    expect(code).toBe(0);
    expect(said).toContain(`${id} is retained`);
    expect(onlyRun(home.path).seq).toBe(seq);
  });
});

describe('a run that is over', () => {
  const ended: readonly [string, readonly string[]][] = [
    ['succeeded', ['--command', 'true']],
    ['rejected', ['--mode', 'nothing']],
    ['failed', ['--command', 'exit 3']],
  ];

  it.each(ended)(
    'as %s refuses cancel, resume and release, each in a sentence',
    async (status, words) => {
      await local('run', ...FAST, ...words);
      const { id } = onlyRun(home.path);
      if (status === 'failed') await local('release', id, '--discard', ...FAST);
      expect(onlyRun(home.path).status).toBe(status);
      const told = [
        await local('cancel', id, ...FAST),
        await local('resume', id, ...FAST),
        await local('release', id, '--discard', ...FAST),
      ];
      expect(told.map(({ code }) => code)).toEqual([1, 1, 1]);
      expect(told.map(({ out }) => out)).toEqual([
        `${id}  refused: the run is over: ${status}`,
        `${id}  refused: only a retained run resumes, this is ${status}`,
        `${id}  refused: only a retained run is released, this is ${status}`,
      ]);
      expect(onlyRun(home.path).status).toBe(status);
    },
  );

  it('has nothing left for retry to look at', async () => {
    await local('run', ...FAST, '--command', 'true');
    const { id } = onlyRun(home.path);
    const { code, said } = await local('retry', id);
    expect(code).toBe(0);
    expect(said).toBe(`${id} is succeeded: there is nothing left to look at.`);
  });
});

describe('--json', () => {
  it('gives the refusal of a request as its event', async () => {
    const { id } = await retained('onlyEBS');
    const cancelled = JSON.parse((await local('cancel', id, '--json', ...FAST)).out);
    expect(cancelled).toMatchObject({ type: 'RequestRefused', runId: id });
    const released = JSON.parse((await local('release', id, '--json', ...FAST)).out);
    expect(released.data).toMatchObject({ request: 'RunReleaseRequested' });
  });

  it('gives the run and all that is known of it where the command goes on with it', async () => {
    const { id } = await retained('taskExport');
    const resumed = await local('resume', id, '--json', ...FAST);
    expect(JSON.parse(resumed.out)).toMatchObject({ run: { id, status: 'retained' } });
    const released = await local('release', id, '--discard', '--json', ...FAST);
    expect(JSON.parse(released.out)).toMatchObject({ run: { id, status: 'failed' } });
    expect(`${resumed.said}${released.said}`).toBe('');
  });
});

describe('a run that there is not', () => {
  it.each(['cancel', 'resume', 'release', 'retry', 'show'])(
    'is wrong usage for %s',
    async (command) => {
      const { code, said } = await local(command, 'nobody');
      expect(code).toBe(2);
      expect(said).toContain(`there is no run nobody in ${home.path}: see npx ebb local list`);
      expect(existsSync(home.path)).toBe(false);
    },
  );

  it.each(['cancel', 'resume', 'release', 'retry', 'show'])(
    'need not even be named for %s',
    async (command) => {
      const { code, said } = await local(command);
      expect(code).toBe(2);
      expect(said).toContain("missing required argument 'run'");
    },
  );
});

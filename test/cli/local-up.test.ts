import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import {
  drop,
  ebb,
  ended,
  eventually,
  jobProcesses,
  runsOf,
  startEbb,
  startUp,
  tempHome,
} from '../support/cli';

const home = tempHome();
let up: ReturnType<typeof startEbb>;

beforeAll(async () => {
  up = await startUp(home.path);
});
afterAll(() => home.remove());

function local(command: string, ...words: readonly string[]) {
  return ebb(home.path, 'local', command, ...words);
}

/** Leaves a request for the local cloud that is at work, and waits for the answer beside it. */
async function answered(name: string, content: unknown) {
  const answer = drop(home.path, name, content);
  await eventually(`${name} is answered`, () => existsSync(answer));
  return JSON.parse(readFileSync(answer, 'utf8'));
}

function statusOf(id: string): string | undefined {
  return runsOf(home.path).find((run) => run.id === id)?.status;
}

async function reaches(id: string, status: string): Promise<void> {
  await eventually(`${id} is ${status}`, () => statusOf(id) === status);
}

/** A run in the other process whose job works until it is stopped. */
async function runAtWork(name: string, mode: string): Promise<string> {
  const jobs = [{ name: 'main', command: ['sh', '-c', 'echo begun > begun; exec sleep 500'] }];
  const { runId } = await answered(name, { mode, jobs });
  await reaches(runId, 'running');
  await eventually(`the job of ${runId} is at work`, () => linesOf(runId, 'main RUNNING') > 0);
  return runId;
}

/** How many lines of the other process tell this of the run. */
function linesOf(runId: string, words: string): number {
  const lines = up.text().split('\n');
  return lines.filter((line) => line.startsWith(runId) && line.includes(words)).length;
}

/** Moves a file of always the same time into the intake. Gives where its answer will be. */
function moveIn(name: string, detail: object): string {
  const [outside, folder] = [
    join(home.path, '..', name),
    join(home.path, 'buckets', 'intake', 'requests'),
  ];
  writeFileSync(outside, JSON.stringify(detail));
  utimesSync(outside, new Date(1e12), new Date(1e12));
  mkdirSync(folder, { recursive: true });
  renameSync(outside, join(folder, name));
  return join(folder, `${name}.answer.json`);
}

describe('ebb local up', () => {
  it('makes a run of a request that is dropped into the intake, and answers beside it', async () => {
    const jobs = [{ name: 'main', command: ['sh', '-c', 'echo hello > out'] }];
    const answer = await answered('good.json', { mode: 'taskExport', jobs });
    expect(answer).toMatchObject({ runId: expect.stringMatching(/^up-/) });
    await reaches(answer.runId, 'succeeded');
    const out = join(home.path, 'buckets', 'results', 'runs', answer.runId, 'out');
    expect(readFileSync(out, 'utf8')).toBe('hello\n');
  });

  it.each([
    ['bad.json', '{ "mode": ', 'is not JSON: correct it and upload it again'],
    ['list.json', '[1]', 'must be a JSON object, got a list of 1'],
    ['mode.json', '{ "mode": "ebs" }', 'mode must be one of taskExport, autoExport, onlyEBS'],
  ])('answers %s, which is no good, with what is wrong with it', async (name, text, said) => {
    const answer = await answered(name, text);
    expect(answer).toMatchObject({ status: 'rejected', reason: expect.stringContaining(said) });
  });

  it('makes one run of a file that is left there twice', async () => {
    const detail = { runId: 'twice', mode: 'onlyEBS', jobs: [{ name: 'a', command: ['true'] }] };
    const answer = moveIn('twice.json', detail);
    await reaches('twice', 'succeeded');
    const seq = runsOf(home.path).find(({ id }) => id === 'twice')?.seq;
    moveIn('twice.json', detail);
    // Uploads are taken in turn: when this one is answered, the one before it was read.
    await answered('later.json', '{ "mode": "ebs" }');
    const runs = runsOf(home.path).filter(({ id }) => id === 'twice');
    expect(runs).toMatchObject([{ status: 'succeeded', seq }]);
    await eventually('it is answered', () => readFileSync(answer, 'utf8').includes('succeeded'));
  });

  it('refuses another file that wants the same run, and answers that beside it', async () => {
    const jobs = [{ name: 'a', command: ['false'] }];
    const answer = await answered('other.json', { runId: 'twice', mode: 'onlyEBS', jobs });
    expect(answer.status).toBe('rejected');
    expect(answer.reason).toContain('the id twice, which is taken: choose another runId');
    expect(statusOf('twice')).toBe('succeeded');
  });

  it('shows what lies in a bucket to the job as its input', async () => {
    const input = join(home.path, 'buckets', 'data', 'set', 'deep');
    mkdirSync(input, { recursive: true });
    writeFileSync(join(input, 'in'), Buffer.from([0, 1, 255]));
    const command = ['sh', '-c', 'cp "$EBBTIDE_INPUT_DIR/deep/in" out'];
    const parameters = { inputRepositoryPath: 's3://data/set/' };
    const jobs = [{ name: 'main', command }];
    const { runId } = await answered('input.json', { mode: 'taskExport', parameters, jobs });
    await reaches(runId, 'succeeded');
    const results = join(home.path, 'buckets', 'results', 'runs', runId);
    expect(readdirSync(results)).toEqual(['out']);
    expect(readFileSync(join(results, 'out'))).toEqual(Buffer.from([0, 1, 255]));
  });

  it('says to who asks for another session in its place whose it is', async () => {
    const second = await local('up');
    expect(second.code).toBe(2);
    expect(second.said).toContain(`in use by process ${up.pid} (ebb local up`);
    expect(second.said).toContain('give this one a place of its own with --home DIR');
    expect((await local('list')).said).toContain(`Process ${up.pid} (ebb local up) is at work`);
  });
});

describe('a run in the local cloud of another process', () => {
  it.each([
    ['onlyEBS', 'cancelled'],
    ['taskExport', 'retained'],
  ])('of mode %s is cancelled once, however often it is asked for', async (mode, end) => {
    const id = await runAtWork(`cancel-${mode}.json`, mode);
    const first = await local('cancel', id, '--reason', 'enough');
    expect(first).toMatchObject({ code: 0, out: expect.stringContaining('cancelled: enough') });
    const second = await local('cancel', id, '--json');
    expect(second.code).toBe(1);
    expect(JSON.parse(second.out)).toMatchObject({ type: 'RequestRefused', runId: id });
    await reaches(id, end);
    expect(runsOf(home.path).find((run) => run.id === id)?.verdict).toEqual({
      kind: 'cancelled',
      reason: 'enough',
    });
  });

  it('that is retained is resumed and released there', async () => {
    const jobs = [{ name: 'main', command: ['sh', '-c', 'exit 3'] }];
    const { runId } = await answered('fails.json', { mode: 'onlyEBS', jobs });
    await reaches(runId, 'retained');
    const resumed = await local('resume', runId);
    expect(resumed).toMatchObject({
      code: 0,
      out: expect.stringContaining(`${runId}  RunResumed`),
    });
    await eventually('it is retained again', () => linesOf(runId, 'StorageRetained') === 2);
    const released = await local('release', runId, '--discard', '--json');
    expect(released.code).toBe(0);
    expect(JSON.parse(released.out)).toMatchObject({ type: 'ReleaseStarted', runId });
    await reaches(runId, 'failed');
  });

  it('is looked at by retry, which says so', async () => {
    const id = await runAtWork('retry.json', 'onlyEBS');
    const { code, said } = await local('retry', id);
    expect(code).toBe(0);
    expect(said).toContain(`${id} (running) is being looked at`);
    await local('cancel', id);
    await reaches(id, 'cancelled');
  });
});

describe('ebb local up, stopped by Ctrl-C', () => {
  it('leaves nothing at work, puts its runs in order, and starts none of them again', async () => {
    const [volume, fileSystem] = [
      await runAtWork('stopped-volume.json', 'onlyEBS'),
      await runAtWork('stopped-files.json', 'autoExport'),
    ];
    const count = runsOf(home.path).length;
    up.kill('SIGINT');
    expect(await ended(up)).toBe(130);
    expect(jobProcesses(home.path)).toBe(0);
    expect(existsSync(join(home.path, 'lock'))).toBe(false);
    expect(statusOf(volume)).toBe('cancelled');
    // Its job has written to it: what is not in S3 is not given up because somebody left.
    expect(statusOf(fileSystem)).toBe('retained');

    up = await startUp(home.path);
    await answered('after.json', '[]');
    expect(runsOf(home.path)).toHaveLength(count + 1);
  });
});

describe('a session that is killed in the midst of an export', () => {
  it('is put in order by the next command, and the results arrive all the same', async () => {
    const other = tempHome();
    const command = 'head -c 300000 /dev/zero > big';
    const words = ['--mode', 'taskExport', '--speed', '400', '--command', command];
    const child = startEbb(other.path, 'local', 'run', ...words);
    await eventually('it exports', () => child.text().includes('ExportRequested'));
    child.kill('SIGKILL');
    await ended(child);
    const [run] = runsOf(other.path);
    expect(run?.status).toBe('exporting');
    const { code, said, out } = await ebb(other.path, 'local', 'list');
    expect(code).toBe(0);
    expect(said).toContain(
      `Found ${run?.id}, exporting when its session ended: it goes on to its end now.`,
    );
    expect(said).toContain(`${run?.id} is succeeded and its storage is gone`);
    expect(out).toContain('succeeded');
    const big = join(other.path, 'buckets', 'results', 'runs', run?.id ?? '', 'big');
    expect(readFileSync(big).equals(Buffer.alloc(300_000))).toBe(true);
    expect(readdirSync(join(other.path, 'file-systems'))).toEqual([]);
    other.remove();
  });
});

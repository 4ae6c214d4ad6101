import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ebb, tempHome } from '../support/cli';

const FAST = ['--speed', '2000'] as const;
const MODES = ['taskExport', 'autoExport'] as const;
let home: ReturnType<typeof tempHome>;

beforeEach(() => {
  home = tempHome();
});
afterEach(() => home.remove());

/** Two files in two folders, of bytes that no text tool would leave as they are. */
const LEAVE =
  'mkdir -p deep/er && printf "a\\000b\\377" > deep/er/odd && head -c 300000 /dev/zero > big && echo hello > "with space"';

async function run(...words: readonly string[]) {
  const called = await ebb(home.path, 'local', 'run', ...FAST, '--json', ...words);
  return { ...called, ...JSON.parse(called.out) };
}

function request(detail: unknown): string {
  const path = join(home.path, '..', 'request.json');
  writeFileSync(path, JSON.stringify(detail));
  return path;
}

function typesOf(events: readonly { type: string }[]): string[] {
  return events.map(({ type }) => type);
}

function fileSystems(): string[] {
  return readdirSync(join(home.path, 'file-systems'));
}

describe.each(MODES)('a run of mode %s', (mode) => {
  it('brings what its job left to the bucket, byte for byte, and gives its file system back', async () => {
    const { code, run: ran, results } = await run('--mode', mode, '--command', LEAVE);
    const prefix = `runs/${ran.id}/`;
    const folder = join(home.path, 'buckets', 'results', prefix);
    expect(code).toBe(0);
    expect(results.objects.map(({ key }: { key: string }) => key)).toEqual([
      `${prefix}big`,
      `${prefix}deep/er/odd`,
      `${prefix}with space`,
    ]);
    expect(readFileSync(join(folder, 'deep', 'er', 'odd'))).toEqual(
      Buffer.from([0x61, 0, 0x62, 0xff]),
    );
    expect(readFileSync(join(folder, 'big')).equals(Buffer.alloc(300_000))).toBe(true);
    expect(readFileSync(join(folder, 'with space'), 'utf8')).toBe('hello\n');
    expect(fileSystems()).toEqual([]);
  });

  it('runs 3 tasks on one file system, and the one that a real kill interrupts goes on', async () => {
    const script =
      'f=task-000$AWS_BATCH_JOB_ARRAY_INDEX; echo "start $EBBTIDE_ATTEMPT" >> $f; [ $AWS_BATCH_JOB_ARRAY_INDEX != 1 ] || [ "$EBBTIDE_ATTEMPT" -gt 1 ] || exec sleep 60';
    // Whatever starts is hit, if it is still there by then.
    const hard = ['--interrupt', '20', '--interrupt-after', '400ms'];
    const words = ['--mode', mode, '--array', '3', '--command', script, ...hard];
    const { code, run: ran, report } = await run(...words);
    const folder = join(home.path, 'buckets', 'results', 'runs', ran.id);
    const lines = ['task-0000', 'task-0001', 'task-0002'].map((name) =>
      readFileSync(join(folder, name), 'utf8'),
    );
    expect(code).toBe(0);
    expect(report.interruptions.survived).toBeGreaterThanOrEqual(1);
    expect(lines).toEqual([
      expect.stringMatching(/^start 1\n/),
      expect.stringMatching(/^start 1\nstart 2\n/),
      expect.stringMatching(/^start 1\n/),
    ]);
    expect(fileSystems()).toEqual([]);
  });

  it('says when its job left nothing to export', async () => {
    const words = ['--mode', mode, '--command', 'true'];
    const { code, out } = await ebb(home.path, 'local', 'run', ...FAST, ...words);
    expect(code).toBe(0);
    expect(out).toContain('The job left nothing in its storage directory');
  });

  it('ends by probes and sweep alone when the events of AWS are lost', async () => {
    const { code } = await run('--mode', mode, '--drop-events', '--command', 'echo hello > out');
    expect(code).toBe(0);
    expect(fileSystems()).toEqual([]);
  });
});

describe('exportProof', () => {
  const detail = (exportProof: string) => ({
    mode: 'autoExport',
    parameters: { exportProof, lambdaTimeDiffMinutes: 3 },
    jobs: [{ name: 'main', command: ['sh', '-c', 'echo hello > out'] }],
  });

  it('metrics takes an empty queue for proof, without a task', async () => {
    const { code, events, run: ran } = await run('--request', request(detail('metrics')));
    const out = join(home.path, 'buckets', 'results', 'runs', ran.id, 'out');
    expect(code).toBe(0);
    expect(typesOf(events)).toContain('ExportQueueDrained');
    expect(typesOf(events)).not.toContain('ExportTaskCreated');
    expect(readFileSync(out, 'utf8')).toBe('hello\n');
  });

  it('task has one task collect and prove the rest', async () => {
    const { code, events } = await run('--request', request(detail('task')));
    expect(code).toBe(0);
    const proof = ['ExportQueueDrained', 'AutoExportDisabled', 'ExportTaskCompleted'];
    expect(typesOf(events).filter((type) => proof.includes(type))).toEqual(proof);
  });
});

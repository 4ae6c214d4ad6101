import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ebb, jobProcesses, tempHome } from '../support/cli';

/** A job that is to hear of an interruption needs some of the two minutes before it. */
const SPEED = { interrupted: '300', other: '1000' } as const;
const home = tempHome();
afterAll(() => home.remove());

function run(...words: readonly string[]) {
  const speed = words.includes('--interrupt-after') ? SPEED.interrupted : SPEED.other;
  return ebb(home.path, 'local', 'run', '--speed', speed, ...words);
}

function runCommand(command: string, ...words: readonly string[]) {
  return run('--command', command, ...words);
}

function request(detail: unknown): string {
  const path = join(home.path, '..', 'request.json');
  writeFileSync(path, typeof detail === 'string' ? detail : JSON.stringify(detail));
  return path;
}

describe('ebb local run', () => {
  it('finishes by probes and sweep alone when the events of AWS are lost', async () => {
    const { code, said } = await runCommand('true', '--drop-events');
    expect(said).toContain('StorageReleased');
    expect(code).toBe(0);
  });

  it('gives one JSON document, and nothing beside it', async () => {
    const { out, said } = await runCommand('echo hello', '--json');
    expect(JSON.parse(out)).toMatchObject({
      run: { status: 'succeeded' },
      report: { storage: { priceDate: expect.any(String) } },
    });
    expect(said).not.toContain('hello');
  });

  it("shows a job's own lines while it runs", async () => {
    const { said } = await runCommand('echo one; echo two');
    expect(said).toMatch(/\| one\n.*\| two/);
  });

  it('says when a job left nothing in its bucket', async () => {
    const { out } = await runCommand('true');
    expect(out).toContain('The job copied nothing to its bucket');
  });
});

describe('a job in the local cloud', () => {
  it('finds its storage, its bucket and its ids, and no credentials of the person', async () => {
    process.env.AWS_SECRET_ACCESS_KEY = 'must not be seen';
    const script = [
      'pwd',
      'env | grep -E "^(AWS_|EBBTIDE_|S3_)" | sort > all.txt',
      'aws s3 cp --quiet all.txt "s3://$S3_BUCKET_NAME/$EBBTIDE_RESULTS_PREFIX"',
    ].join(' && ');
    const { out } = await runCommand(script, '--json');
    delete process.env.AWS_SECRET_ACCESS_KEY;
    const { results } = JSON.parse(out);
    const seen = readFileSync(results.objects[0].path, 'utf8');
    expect(seen).toMatch(/^EBBTIDE_ATTEMPT=1$/m);
    expect(seen).toMatch(/^EBBTIDE_INTERRUPTED=0$/m);
    expect(seen).toMatch(/^EBBTIDE_STORAGE=vol-0[0-9a-f]{16}$/m);
    expect(seen).toMatch(/^EBBTIDE_RESULTS_PREFIX=runs\/run-\w+\/$/m);
    expect(seen).toMatch(/^AWS_BATCH_JOB_ID=/m);
    expect(seen).not.toContain('must not be seen');
  });

  it.each([
    ['alone in its command', ''],
    ['with the exec that a shell needs among several', 'true; exec '],
  ])('hears SIGTERM %s', async (_where, before) => {
    const script = join(home.path, '..', 'saves.sh');
    writeFileSync(
      script,
      'trap "echo saved > state; exit 143" TERM; [ -e state ] && exit 0; while :; do sleep 0.1; done',
    );
    const { code, out } = await runCommand(
      `${before}sh '${script}'`,
      ...['--interrupt-after', '500ms', '--json'],
    );
    expect(code).toBe(0);
    expect(JSON.parse(out).report.interruptions).toMatchObject({ warned: 1, survived: 1 });
  });

  it('finds no account and no endpoint of AWS, whatever tool it takes', async () => {
    const { said } = await runCommand('env | grep ^AWS_');
    expect(said).toContain('AWS_SHARED_CREDENTIALS_FILE=/dev/null');
    expect(said).toContain('AWS_ENDPOINT_URL=http://127.0.0.1:9');
  });

  it('that saves nothing is told how much of its work was lost', async () => {
    const script = 'trap "" TERM; [ "$EBBTIDE_ATTEMPT" = 2 ] || sleep 60';
    const hard = ['--interrupt', '2', '--interrupt-after', '1s', '--json'];
    const { out } = await runCommand(script, ...hard);
    const { redoneMs } = JSON.parse(out).report;
    expect(redoneMs).toBeGreaterThanOrEqual(1000);
  });

  it('that was over too early for an interruption is told so', async () => {
    const { out } = await runCommand('true', '--interrupt-after', '20s');
    expect(out).toContain('1 of 1 interruptions never came: the job was over before.');
  });

  it('is refused by name what the local aws does not do', async () => {
    const { said, code } = await runCommand('aws ec2 describe-volumes');
    expect(said).toContain("got 'ec2 describe-volumes'");
    expect(code).toBe(1);
  });

  it('takes along everything that it started, even what left its process group', async () => {
    const { out } = await runCommand('setsid sleep 4711 & sleep 0.2; true', '--json');
    expect(JSON.parse(out).run.status).toBe('succeeded');
    expect(jobProcesses(home.path)).toBe(0);
  });

  it('is told on its next start that the one before left no exit', async () => {
    const script =
      'echo "interrupted: $EBBTIDE_INTERRUPTED"; [ "$EBBTIDE_ATTEMPT" = 3 ] || exec sleep 60';
    const { said } = await runCommand(script, '--interrupt', '2', '--interrupt-after', '300ms');
    const told = [...said.matchAll(/\| interrupted: (\d)/g)].map(([, flag]) => flag);
    // The first start had none before it, the second saw an exit by SIGTERM, the third none.
    expect(told).toEqual(['0', '0', '1']);
  });
});

describe('a run that fails', () => {
  it('says the exit code and the last lines, and where the kept volume is', async () => {
    const { code, out } = await runCommand('echo my last words; exit 3');
    expect(code).toBe(1);
    expect(out).toContain('Job main failed with exit code 3.');
    expect(out).toContain('| my last words');
    expect(out).toMatch(/kept until .*, so nothing is lost. On AWS that would cost \$2\.1/);
    expect(out).toMatch(/Look at .*volumes\/vol-0[0-9a-f]{16}\/data/);
  });

  it('says that a command was not found', async () => {
    const { code, out, said } = await runCommand('no-such-program');
    expect(code).toBe(1);
    // 126 where a folder of the PATH may not be read.
    expect(said).toMatch(/exit code 12[67]: (command not found|the command cannot be executed)/);
    expect(out).toContain('no-such-program');
  });

  it('keeps nothing when no container could start', async () => {
    const detail = { jobs: [{ name: 'main', command: ['/no/such/program'], attempts: 2 }] };
    const { code, out } = await run('--request', request(detail));
    expect(code).toBe(1);
    expect(out).toContain('/no/such/program: executable file not found');
    expect(out).toContain('Its storage was given back.');
  });

  it('ends a job that hangs, deaf to SIGTERM, at its time limit', async () => {
    const { code, out } = await runCommand(
      "trap '' TERM; while :; do sleep 0.1; done",
      '--timeout',
      '60s',
    );
    expect(code).toBe(1);
    expect(out).toContain('duration exceeded timeout');
    expect(jobProcesses(home.path)).toBe(0);
  });

  it('shows what a full disk said', async () => {
    const { code, out } = await runCommand('cat /etc/passwd > /dev/full');
    expect(code).toBe(1);
    expect(out).toMatch(/No space left on device|ENOSPC|write error/i);
  });

  it('warns when a job answers SIGTERM with 0, which says finished', async () => {
    const script = "trap 'exit 0' TERM; while :; do sleep 0.1; done";
    const { out } = await runCommand(script, '--interrupt-after', '500ms');
    expect(out).toContain('left with 0 after SIGTERM');
    expect(out).toContain('leave with 143');
  });
});

describe('a bad request', () => {
  it('is a rejected run that says everything that is wrong', async () => {
    const detail = {
      parameters: { ebsIops: 4000, ebsSizeGb: '500GB' },
      jobs: [{ name: 'a', environment: { DB_PASSWORD: 'hunter2' } }],
    };
    const { code, out, said } = await run('--request', request(detail));
    expect(code).toBe(1);
    expect(out).toContain('did you mean ebsIOPS?');
    expect(out).toContain('got "500GB": write the number alone, 500');
    expect(out).toContain('Nothing was created.');
    expect(`${out}${said}`).not.toContain('hunter2');
  });

  it('of a megabyte of junk is refused in a sentence', async () => {
    const { code, out } = await run('--request', request({ junk: 'x'.repeat(1_000_000) }));
    expect(code).toBe(1);
    expect(out).toContain('put data into S3 and name its place');
    expect(out.length).toBeLessThan(1000);
  });

  it('under a taken id is refused, and the first run only notes it', async () => {
    const path = request({ runId: 'taken', jobs: [{ name: 'main', command: ['true'] }] });
    expect((await run('--request', path)).code).toBe(0);
    const again = await run('--request', path);
    expect(again.out).toContain('taken succeeded');
    expect(again.out).toContain('same request came before');
    const other = await run('--request', request({ runId: 'taken' }));
    expect(other.out).toContain('choose another runId');
    const shown = await ebb(home.path, 'local', 'show', 'taken');
    expect(shown.out.match(/RequestRefused/g)).toHaveLength(1);
    expect(shown.out).toContain('taken succeeded');
  });

  it.each([
    ['{ "runId": ', 'is not JSON'],
    ['[1, 2]', 'must hold a JSON object'],
    ['{"detail-type":"RunRequested","detail":{}}', 'pass its detail alone'],
  ])('that is no request at all, %j, is wrong usage', async (text, said) => {
    const called = await run('--request', request(text));
    expect(called.code).toBe(2);
    expect(called.said).toContain(said);
  });
});

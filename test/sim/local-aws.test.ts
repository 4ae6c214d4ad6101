import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const PROGRAM = join(__dirname, '..', '..', 'sim', 'local-aws.js');

let place: string;

beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'ebbtide aws '));
  mkdirSync(join(place, 'buckets', 'results'), { recursive: true });
  mkdirSync(join(place, 'work'));
});

afterEach(() => rmSync(place, { recursive: true, force: true }));

const work = (...parts: string[]) => join(place, 'work', ...parts);
const object = (key: string, bucket = 'results') => join(place, 'buckets', bucket, key);

function write(file: string, content: string, secondsAgo?: number) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
  if (secondsAgo === undefined) return;
  const then = new Date(Date.now() - secondsAgo * 1000);
  utimesSync(file, then, then);
}

function environment(extra: Record<string, string> = {}) {
  const buckets = join(place, 'buckets');
  return { PATH: process.env.PATH, TZ: 'UTC', EBBTIDE_LOCAL_BUCKETS: buckets, ...extra };
}

interface Call {
  readonly input?: string;
  readonly env?: Record<string, string>;
}

function aws(args: string, { input, env }: Call = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...args.split(' ')], {
    cwd: work(),
    env: environment(env),
    encoding: 'utf8',
    input: input ?? '',
  });
  return { status, out: stdout, err: stderr.trim() };
}

/** What a job of the stack has in its environment. */
const asJob = { S3_BUCKET_NAME: 'results', EBBTIDE_RESULTS_PREFIX: 'runs/run-1/' };

describe('cp', () => {
  test('uploads a file under the name given, or under its own into a prefix', () => {
    write(work('x'), 'content');
    expect(aws('s3 cp ./x s3://results/a/k')).toEqual({
      status: 0,
      out: 'upload: ./x to s3://results/a/k\n',
      err: '',
    });
    expect(aws('s3 cp x s3://results/runs/1/').out).toBe('upload: ./x to s3://results/runs/1/x\n');
    expect(aws('s3 cp x s3://results').out).toBe('upload: ./x to s3://results/x\n');
    for (const key of ['a/k', 'runs/1/x', 'x']) {
      expect(readFileSync(object(key), 'utf8')).toBe('content');
    }
  });

  test('downloads a file, with the time of the object, and creates the folders on the way', () => {
    write(object('a/k'), 'content', 5000);
    expect(aws('s3 cp s3://results/a/k new/folder/').out).toBe(
      'download: s3://results/a/k to new/folder/k\n',
    );
    expect(readFileSync(work('new/folder/k'), 'utf8')).toBe('content');
    const age = Date.now() - statSync(work('new/folder/k')).mtimeMs;
    expect(Math.abs(age - 5_000_000)).toBeLessThan(60_000);
    expect(readdirSync(work('new/folder'))).toEqual(['k']);
  });

  test('copies from bucket to bucket', () => {
    mkdirSync(join(place, 'buckets', 'other'));
    write(object('k'), 'content');
    expect(aws('s3 cp s3://results/k s3://other/l').out).toBe(
      'copy: s3://results/k to s3://other/l\n',
    );
    expect(readFileSync(object('l', 'other'), 'utf8')).toBe('content');
  });

  test('streams from stdin and to stdout, and says nothing but the data', () => {
    expect(aws('s3 cp - s3://results/k', { input: 'from a pipe' })).toMatchObject({
      status: 0,
      out: '',
    });
    expect(aws('s3 cp s3://results/k -')).toEqual({ status: 0, out: 'from a pipe', err: '' });
  });

  test('takes whole folders both ways, filtered, and the last filter that matches wins', () => {
    for (const name of ['a.txt', 'b.log', 'deep/c.txt', 'deep/d.log'])
      write(work('in', name), name);
    const filters = '--exclude * --include *.txt --exclude deep/*';
    expect(aws(`s3 cp in s3://results/p --recursive ${filters}`).out).toBe(
      'upload: in/a.txt to s3://results/p/a.txt\n',
    );
    expect(aws('s3 cp in s3://results/p --recursive --quiet').out).toBe('');
    expect(aws('s3 cp s3://results/p out --recursive --exclude=*.log').status).toBe(0);
    expect(readdirSync(work('out'), { recursive: true }).sort()).toEqual([
      'a.txt',
      'deep',
      'deep/c.txt',
    ]);
  });

  test('follows links, and skips with exit code 2 what is no file', () => {
    write(work('elsewhere/x'), 'x');
    mkdirSync(work('in'));
    symlinkSync(work('elsewhere'), work('in', 'link'));
    symlinkSync(work('nowhere'), work('in', 'dangling'));
    const { status, err } = aws('s3 cp in s3://results/p --recursive');
    expect({ status, err }).toEqual({
      status: 2,
      err: 'warning: Skipping file in/dangling. File does not exist.',
    });
    expect(readFileSync(object('p/link/x'), 'utf8')).toBe('x');
  });

  test('is quiet when told to, and louder about errors', () => {
    write(work('x'), 'x');
    expect(aws('s3 cp x s3://results/k --only-show-errors').out).toBe('');
    expect(aws('s3 cp x s3://nowhere/k --only-show-errors').err).toContain('NoSuchBucket');
    expect(aws('s3 cp x s3://nowhere/k --quiet')).toEqual({ status: 1, out: '', err: '' });
  });

  test('fails as the real one does when the source or the bucket is missing', () => {
    write(work('x'), 'x');
    expect(aws('s3 cp nothing s3://results/k')).toMatchObject({
      status: 255,
      err: 'The user-provided path nothing does not exist.',
    });
    expect(aws('s3 cp s3://results/nothing x')).toMatchObject({
      status: 1,
      err: 'fatal error: An error occurred (404) when calling the HeadObject operation: Key "nothing" does not exist',
    });
    expect(aws('s3 cp x s3://nowhere/k')).toMatchObject({
      status: 1,
      err: 'upload failed: ./x to s3://nowhere/k An error occurred (NoSuchBucket) when calling the PutObject operation: The specified bucket does not exist',
    });
    expect(aws('s3 cp s3://nowhere/p out --recursive')).toMatchObject({ status: 1 });
  });

  test('refuses a key that is a folder of other keys, and says that S3 would not', () => {
    write(work('x'), 'x');
    write(object('a/b'), 'b');
    const folder = aws('s3 cp x s3://results/a');
    expect(folder.status).toBe(1);
    expect(folder.err).toContain("a local bucket cannot hold the key 'a'");
    expect(aws('s3 cp x s3://results/a/b/c').err).toContain('S3 would take both');
    expect(readFileSync(object('a/b'), 'utf8')).toBe('b');
    expect(readdirSync(join(place, 'buckets', '.incoming'))).toEqual([]);
  });
});

describe('an object', () => {
  test('is not there, and the old one whole, while it is being written and after kill -9', async () => {
    write(object('k'), 'old');
    const writer = spawn(process.execPath, [PROGRAM, 's3', 'cp', '-', 's3://results/k'], {
      env: environment(),
    });
    writer.stdin.write('half of the new');
    const incoming = join(place, 'buckets', '.incoming');
    const arrived = () =>
      existsSync(incoming) &&
      readdirSync(incoming).some((name) => statSync(join(incoming, name)).size > 0);
    for (let tries = 0; tries < 400 && !arrived(); tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const meanwhile = readFileSync(object('k'), 'utf8');
    writer.kill('SIGKILL');
    await once(writer, 'close');
    expect(meanwhile).toBe('old');
    expect(readFileSync(object('k'), 'utf8')).toBe('old');
    expect(aws('s3 ls s3://results --recursive').out).toMatch(/^\S+ \S+ {10}3 k\n$/);
    expect(aws('s3 ls').out).toMatch(/^\S+ \S+ results\n$/);
  });
});

describe('sync', () => {
  test('uploads what is new, has another size or is newer, and nothing twice', () => {
    for (const name of ['new', 'size', 'newer', 'same']) write(work('in', name), 'ours', 100);
    write(object('p/size'), 'other size', 10);
    write(object('p/newer'), 'old!', 1000);
    write(object('p/same'), 'kept', 10);
    expect(aws('s3 sync in s3://results/p').out.split('\n').sort()).toEqual([
      '',
      'upload: in/new to s3://results/p/new',
      'upload: in/newer to s3://results/p/newer',
      'upload: in/size to s3://results/p/size',
    ]);
    expect(readFileSync(object('p/same'), 'utf8')).toBe('kept');
    expect(aws('s3 sync in s3://results/p')).toEqual({ status: 0, out: '', err: '' });
  });

  test('downloads, and finds nothing to do the second time', () => {
    write(object('p/a'), 'a');
    write(object('p/deep/b'), 'b');
    expect(aws('s3 sync s3://results/p out').out).toBe(
      'download: s3://results/p/a to out/a\ndownload: s3://results/p/deep/b to out/deep/b\n',
    );
    expect(aws('s3 sync s3://results/p out').out).toBe('');
    write(work('out/a'), 'A', -10);
    expect(aws('s3 sync s3://results/p out').out).toBe('download: s3://results/p/a to out/a\n');
  });

  test('deletes on either side only with --delete, and only what the filters let through', () => {
    write(work('in/a'), 'a');
    for (const name of ['b', 'keep.log', 'deep/c']) write(object(`p/${name}`), name);
    expect(aws('s3 sync in s3://results/p').out).toBe('upload: in/a to s3://results/p/a\n');
    expect(aws('s3 sync in s3://results/p --delete --exclude *.log').out).toBe(
      'delete: s3://results/p/b\ndelete: s3://results/p/deep/c\n',
    );
    expect(readdirSync(object('p')).sort()).toEqual(['a', 'keep.log']);
    write(work('in/extra'), 'extra');
    expect(aws('s3 sync s3://results/p in --delete --exclude *.log').out).toBe(
      'delete: in/extra\n',
    );
  });

  test('deletes nothing when the source cannot be listed', () => {
    write(work('out/mine'), 'mine');
    expect(aws('s3 sync s3://nowhere/p out --delete').status).toBe(1);
    expect(existsSync(work('out/mine'))).toBe(true);
  });
});

describe('ls', () => {
  test('lists buckets, a prefix with its folders, and everything below, in the real format', () => {
    write(object('runs/1/a'), 'four', 0);
    write(object('runs/1/deep/b'), 'b');
    const then = new Date('2026-01-02T03:04:05Z');
    utimesSync(object('runs/1/a'), then, then);
    expect(aws('s3 ls').out).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d results\n$/);
    expect(aws('s3 ls s3://results/runs/1/').out).toBe(
      '                           PRE deep/\n2026-01-02 03:04:05          4 a\n',
    );
    expect(aws('s3 ls s3://results/runs/1').out).toBe('                           PRE 1/\n');
    expect(aws('s3 ls results --recursive').out).toMatch(
      /^2026-01-02 03:04:05 {10}4 runs\/1\/a\n\S+ \S+ {10}1 runs\/1\/deep\/b\n$/,
    );
  });

  test('says 1 when there is nothing, but 0 for an empty bucket, and 254 for none', () => {
    expect(aws('s3 ls s3://results')).toEqual({ status: 0, out: '', err: '' });
    expect(aws('s3 ls s3://results/nothing/')).toEqual({ status: 1, out: '', err: '' });
    expect(aws('s3 ls s3://nowhere')).toMatchObject({
      status: 254,
      err: 'An error occurred (NoSuchBucket) when calling the ListObjectsV2 operation: The specified bucket does not exist',
    });
  });
});

describe('the role of a job', () => {
  test('reaches runs/ of the results bucket', () => {
    write(work('x'), 'x');
    expect(aws('s3 cp x s3://results/runs/run-1/', { env: asJob }).status).toBe(0);
    expect(aws('s3 cp s3://results/runs/run-1/x y', { env: asJob }).status).toBe(0);
    expect(aws('s3 ls s3://results/runs/', { env: asJob }).out).toContain('PRE run-1/');
  });

  test.each([
    [
      1,
      's3 cp x s3://results/other',
      '(AccessDenied) when calling the PutObject operation: Access Denied',
    ],
    [
      1,
      's3 cp x s3://other/runs/x',
      '(AccessDenied) when calling the PutObject operation: Access Denied',
    ],
    [1, 's3 cp s3://results/secret y', '(403) when calling the HeadObject operation: Forbidden'],
    [
      1,
      's3 cp s3://results/secret -',
      '(AccessDenied) when calling the GetObject operation: Access Denied',
    ],
    [
      1,
      's3 cp s3://results/runs/a s3://results/b',
      '(AccessDenied) when calling the CopyObject operation: Access Denied',
    ],
    [
      1,
      's3 sync s3://results/ out',
      '(AccessDenied) when calling the ListObjectsV2 operation: Access Denied',
    ],
    [
      254,
      's3 ls s3://results',
      '(AccessDenied) when calling the ListObjectsV2 operation: Access Denied',
    ],
    [254, 's3 ls', '(AccessDenied) when calling the ListBuckets operation: Access Denied'],
  ])('and nothing else: %i for aws %s', (status, command, err) => {
    for (const file of [work('x'), object('secret'), object('runs/a')]) write(file, 'x');
    mkdirSync(join(place, 'buckets', 'other'));
    const answer = aws(command, { env: asJob });
    expect(answer).toMatchObject({ status, out: '' });
    expect(answer.err.endsWith(`An error occurred ${err}`)).toBe(true);
    expect(existsSync(object('other'))).toBe(false);
  });
});

describe('what it does not know', () => {
  test.each([
    [
      's3 rm s3://results/k',
      "it knows s3 cp, s3 sync and s3 ls, got 's3 rm'. On AWS the real one runs",
    ],
    ['s3 constructor', "got 's3 constructor'"],
    ['ec2 describe-volumes', "got 'ec2 describe-volumes'"],
    ['s3 cp x s3://results/k --dryrun', 'Unknown options: --dryrun'],
    ['s3 cp x s3://results/k --delete', 'Unknown options: --delete'],
    ['s3 sync . s3://results/k --recursive', 'Unknown options: --recursive'],
    ['s3 cp x s3://results/k --region', 'argument --region: expected one argument'],
    ['s3 cp x', 'the following arguments are required: paths'],
    ['s3 cp x y', 'Invalid argument type'],
    ['s3 cp x s3://results/../other/k', "key must not have empty parts, '.', '..' or NUL"],
    ['s3 cp x s3://results//k', 'key must not have empty parts'],
    ['s3 cp x s3://.incoming/k', 'Invalid bucket name ".incoming"'],
    ['s3 cp x s3://../k', 'Invalid bucket name ".."'],
  ])('is refused by name with 252: aws %s', (command, message) => {
    write(work('x'), 'x');
    const { status, err } = aws(command);
    expect(err).toContain(message);
    expect(status).toBe(252);
    expect(readdirSync(join(place, 'buckets'), { recursive: true })).toEqual(['results']);
  });

  test('is accepted only where it changes nothing here', () => {
    write(work('x'), 'x');
    const flags = '--region eu-west-1 --sse aws:kms --storage-class=STANDARD_IA --acl private';
    expect(aws(`--profile me s3 cp x s3://results/k ${flags} --no-progress`).status).toBe(0);
  });

  test('includes having no buckets at all: 253', () => {
    expect(aws('s3 ls', { env: { EBBTIDE_LOCAL_BUCKETS: '' } })).toMatchObject({ status: 253 });
  });
});

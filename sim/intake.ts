import { lstatSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { ANSWER_SUFFIX, type Envelope, type UploadedObject } from '../events';
import type { Clock, Intake } from '../handlers';
import type { Buckets } from './buckets';
import type { Timeline } from './clock';
import { type FileInside, filesIn } from './files';
import type { Random } from './random';

/** The account and the moment in which S3 speaks. */
interface Place {
  readonly clock: Pick<Clock, 'now'>;
  readonly random: Random;
  readonly account: string;
  readonly region: string;
}

/** What S3 says of a new object, where EventBridge is switched on for its bucket. */
export function objectCreated(
  { bucket, key, sequencer, size }: UploadedObject & { readonly size: number },
  { clock, random, account, region }: Place,
): Envelope {
  return {
    id: random.uuid(),
    source: 'aws.s3',
    'detail-type': 'Object Created',
    account,
    region,
    time: `${new Date(clock.now()).toISOString().slice(0, 19)}Z`,
    resources: [`arn:aws:s3:::${bucket}`],
    detail: {
      version: '0',
      bucket: { name: bucket },
      object: { key, size, etag: '', sequencer },
      'request-id': random.uuid(),
      requester: account,
      reason: 'PutObject',
    },
  };
}

/** An intake bucket in memory, with the way in that people have. */
export interface MemoryIntake extends Intake {
  /** Puts an object, and tells of it as S3 does. */
  put(bucket: string, key: string, body: string): void;
}

/** The intake over buckets in memory. Answers are objects too: S3 tells of them like of any other. */
export function memoryIntake(
  parts: Place & { readonly buckets: Buckets; readonly notify: (envelope: Envelope) => void },
): MemoryIntake {
  const { buckets, clock, notify } = parts;
  let last = 0;

  function put(bucket: string, key: string, body: string): void {
    buckets.put(bucket, key, body);
    last = Math.max(last + 1, clock.now() * 1000);
    const size = Buffer.byteLength(body);
    notify(objectCreated({ bucket, key, size, sequencer: hexadecimal(last) }, parts));
  }

  return {
    put,
    async read({ bucket, key, charactersMax }) {
      const text = buckets.get(bucket, key);
      return text === undefined || text.length > charactersMax ? undefined : text;
    },
    answer: async ({ bucket, key, text }) => put(bucket, `${key}${ANSWER_SUFFIX}`, text),
  };
}

const DRAFT_SUFFIX = `${ANSWER_SUFFIX}.draft`;
/** UTF-8. */
const BYTES_PER_CHARACTER = 4;

/** The intake over folders: each bucket is one, each object a plain file in it. Links are no objects. */
export function folderIntake(buckets: string): Intake {
  return {
    async read({ bucket, key, charactersMax }) {
      const path = pathOf(buckets, bucket, key);
      const stat = lstatSync(path, { throwIfNoEntry: false });
      if (!stat?.isFile() || stat.size > charactersMax * BYTES_PER_CHARACTER) return undefined;
      const text = readFileSync(path, 'utf8');
      return text.length > charactersMax ? undefined : text;
    },
    async answer({ bucket, key, text }) {
      const path = pathOf(buckets, bucket, key);
      mkdirSync(dirname(path), { recursive: true });
      // Whole or not at all: whoever waits for the answer reads it the moment it is there.
      writeFileSync(`${path}${DRAFT_SUFFIX}`, text);
      renameSync(`${path}${DRAFT_SUFFIX}`, `${path}${ANSWER_SUFFIX}`);
    },
  };
}

/** Where an object lies. A key that leads out of its bucket is none that anybody could have uploaded. */
function pathOf(buckets: string, bucket: string, key: string): string {
  const folder = join(buckets, bucket);
  const path = join(folder, key);
  const isInside = dirname(folder) === join(buckets) && path.startsWith(`${folder}${sep}`);
  if (!isInside) throw new Error(`the key ${key} leads out of the bucket ${bucket}`);
  return path;
}

/** What a watch gives of a new object: its key, and what S3 would say of it. */
export type WatchedObject = Pick<UploadedObject, 'key' | 'sequencer'> & { readonly size: number };

interface Watch {
  /** The folder that is the bucket. */
  readonly folder: string;
  readonly clock: Timeline;
  readonly everyMs: number;
  readonly onObject: (object: WatchedObject) => void;
}

interface SeenFile {
  readonly bytes: number;
  readonly mtimeMs: number;
  /** Somebody was told, or it was answered before the watch began. */
  readonly isTold: boolean;
}

/**
 * Looks into a bucket's folder again and again, and tells of every file that is new or other than
 * before and has stopped growing. A file that was there before the watch is new where no answer lies
 * beside it. Gives the way to end it.
 */
export function watchIntake({ folder, clock, everyMs, onObject }: Watch): () => void {
  let seen: ReadonlyMap<string, SeenFile> | undefined;
  let forget = () => {};

  function poll(): void {
    const files = filesIn(folder);
    const before = seen;
    const isAnswered = answeredAmong(files);
    const now = files
      .filter(({ name }) => isObject(name))
      .map((file) => {
        const known = before?.get(file.name);
        const isSame = known?.bytes === file.bytes && known.mtimeMs === file.mtimeMs;
        const wasTold = known ? isSame && known.isTold : !before && isAnswered(file.name);
        return { file, isNew: isSame && !wasTold, wasTold };
      });
    seen = new Map(
      now.map(({ file: { name, bytes, mtimeMs }, isNew, wasTold }) => {
        return [name, { bytes, mtimeMs, isTold: wasTold || isNew }];
      }),
    );
    forget = clock.at(clock.now() + everyMs, poll);
    for (const { file, isNew } of now) if (isNew) onObject(watched(file));
  }

  poll();
  return () => forget();
}

function answeredAmong(files: readonly FileInside[]): (name: string) => boolean {
  const names = new Set(files.map(({ name }) => name));
  return (name) => names.has(`${name}${ANSWER_SUFFIX}`);
}

/** Neither an answer nor what editors and file managers leave about. */
function isObject(name: string): boolean {
  const isHidden = name.split(sep).some((part) => part.startsWith('.'));
  return !isHidden && !name.endsWith(ANSWER_SUFFIX) && !name.endsWith(DRAFT_SUFFIX);
}

/** The same file gives the same sequencer, in this session and in the next: so it is the same upload. */
function watched({ name, bytes, mtimeMs }: FileInside): WatchedObject {
  const key = name.split(sep).join('/');
  return { key, size: bytes, sequencer: hexadecimal(Math.round(mtimeMs * 1000)) };
}

function hexadecimal(order: number): string {
  return order.toString(16).toUpperCase().padStart(16, '0');
}

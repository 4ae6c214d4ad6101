import type { Mode } from '../contract';
import { isWithin } from '../fingerprint';
import { PARAMETERS } from './definitions';
import { type ModeUpload, uploadsOf } from './deployed';
import { REQUEST_LIMITS } from './limits';
import type { Settings } from './request';
import { REQUESTS_PREFIX } from './triggers';
import { fieldsOf, shown } from './words';

/** An object that somebody put into the intake bucket. */
export interface UploadedObject {
  readonly bucket: string;
  readonly key: string;
  /** Orders the events of one key. */
  readonly sequencer: string;
}

/** What an upload means. */
export type UploadMeaning =
  /** Its text is a request. */
  | { readonly kind: 'request' }
  /** It starts the run that its prefix stands for. */
  | { readonly kind: 'input'; readonly upload: ModeUpload }
  | { readonly kind: 'nothing'; readonly reason: string };

/** Answers lie beside what they answer; they must never ask for anything themselves. */
export const ANSWER_SUFFIX = '.answer.json';

/** What an upload means in this stack, by its key alone. */
export function meaningOf({ bucket, key }: UploadedObject, settings: Settings): UploadMeaning {
  const nothing = (reason: string) => ({ kind: 'nothing', reason }) as const;
  if (bucket !== settings.intakeBucket) return nothing(`${bucket} is not the intake bucket`);
  if (key.endsWith(ANSWER_SUFFIX)) return nothing('an answer asks for nothing');
  if (key.endsWith('/')) return nothing('a folder asks for nothing');
  if (key.startsWith(REQUESTS_PREFIX)) return { kind: 'request' };
  const upload = uploadsOf(settings).find(
    ({ prefix, suffix = '' }) => key.startsWith(prefix) && key.endsWith(suffix),
  );
  if (!upload) return nothing('nothing in cdk.json starts a run for this key');
  return { kind: 'input', upload };
}

/** The request that an uploaded file is, with its cause; one that says why where it is none. Never throws. */
export function requestIn(object: UploadedObject, text: string | undefined): object {
  const { bucket, key, sequencer } = object;
  const upload = { bucket, key, sequencer };
  const unreadable = (what: string, remedy: string) => {
    const sentence = `s3://${bucket}/${key.slice(-200)} ${what}: ${remedy}`;
    return { cause: { upload: { ...upload, unreadable: sentence } } };
  };
  const again = 'upload it again';
  if (text === undefined) {
    const most = `has more than ${REQUEST_LIMITS.characters} characters`;
    return unreadable(`is not there, or ${most}`, `${again}, and put data beside it`);
  }
  const value = parsed(text);
  if (value === undefined) return unreadable('is not JSON', `correct it and ${again}`);
  const body = fieldsOf(value);
  if (!body) return unreadable(`must be a JSON object, got ${shown(value)}`, again);
  if (!isWithin(body, REQUEST_LIMITS)) {
    return unreadable(`nests more than ${REQUEST_LIMITS.depth} deep or is too large`, again);
  }
  if (Object.hasOwn(body, 'cause')) return unreadable('names a cause', `leave it out and ${again}`);
  return { ...body, cause: { upload } };
}

/** The request that an upload prefix stands for. A file system shows the upload's folder as its input. */
export function requestFor({ bucket, key, sequencer }: UploadedObject, upload: ModeUpload): object {
  const { mode, request = {} } = upload;
  const input = hasInput(mode) ? { inputRepositoryPath: folderOf(bucket, key) } : {};
  return {
    ...request,
    mode,
    parameters: { ...input, ...request.parameters },
    cause: { upload: { bucket, key, sequencer } },
  };
}

function hasInput(mode: Mode): boolean {
  return PARAMETERS.inputRepositoryPath.modes.includes(mode);
}

function folderOf(bucket: string, key: string): string {
  return `s3://${bucket}/${key.slice(0, key.lastIndexOf('/') + 1)}`;
}

/** JSON has no undefined. Some editors begin a file with a mark of its encoding. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    return undefined;
  }
}

import type { Buckets } from './buckets';

/**
 * Where the files of file systems and the objects of buckets are. Paths on a file system begin with
 * a slash, and are those a job sees below the mount point.
 */
export interface Trees {
  /** Makes a directory that S3 is tied to. */
  make(fileSystemId: string, path: string): Promise<void>;
  /** Whether there is a file or a directory. */
  has(fileSystemId: string, path: string): Promise<boolean>;
  /** The plain files below a path that are not in S3 as they are now. Links are not followed. */
  changed(fileSystemId: string, path: string): Promise<readonly ChangedFile[]>;
  /** The files below a path that S3 has from here, and that are here no more. */
  gone(fileSystemId: string, path: string): Promise<readonly string[]>;
  /** Brings a changed file to S3, whole or not at all. */
  bring(tie: Tie, path: string): Promise<Brought>;
  /** Removes the object of a file that is gone, and of no other: one that S3 has from elsewhere stays. */
  erase(tie: Tie, path: string): Promise<Brought>;
  /** The names of the objects of a place, from its prefix on. */
  objects(tie: Tie): Promise<readonly string[]>;
  /** Shows an object on the file system, unless the file there has changed meanwhile. */
  fetch(tie: Tie, name: string): Promise<Brought>;
  /** Writes an object. */
  put(bucket: string, key: string, body: string): Promise<void>;
  /** Removes a file system with everything on it. */
  drop(fileSystemId: string): Promise<void>;
  /** Calls back when files change, where that can be known; else somebody has to look. */
  readonly onChange?: (listener: (fileSystemId: string) => void) => void;
}

/** A directory of a file system, and the place in S3 that it is tied to. */
export interface Tie {
  readonly fileSystemId: string;
  readonly path: string;
  /** `s3://<bucket>/<prefix>/` */
  readonly repositoryPath: string;
}

export interface ChangedFile {
  readonly path: string;
  /** Another one when the file was written to. */
  readonly stamp: string;
  /** It cannot be brought, and why, in the word of FSx's report. */
  readonly errorCode?: string;
}

/**
 * What became of a copy, or of a removal. `vanished`: there is nothing to do any more, as the file is gone,
 * or is back. That is no failure: nobody can say which it should be.
 */
export type Brought =
  | { readonly kind: 'done' | 'vanished' }
  | { readonly kind: 'failed'; readonly errorCode: string };

/** S3 takes no longer keys; FSx then reports `PathSizeTooLong`. */
const KEY_BYTES_MAX = 1024;

/** The key of a file; undefined where it would be too long for S3. */
export function keyOf({ path: root, repositoryPath }: Tie, path: string): string | undefined {
  const { prefix } = placeOf(repositoryPath);
  const below = path.slice(root === '/' ? 1 : root.length + 1);
  const key = `${prefix}${below}`;
  return Buffer.byteLength(key) > KEY_BYTES_MAX ? undefined : key;
}

/** Bucket and prefix of `s3://<bucket>/<prefix>/`. */
export function placeOf(repositoryPath: string): { bucket: string; prefix: string } {
  const [bucket = '', ...rest] = repositoryPath.replace(/^s3:\/\//, '').split('/');
  return { bucket, prefix: rest.join('/') };
}

/** Whether a path lies below a directory, or is it. */
export function isWithin(path: string, directory: string): boolean {
  const parent = directory.endsWith('/') ? directory : `${directory}/`;
  return path === directory || path.startsWith(parent);
}

/** File systems that last as long as the process, with what jobs and tests do to files. */
export interface MemoryTrees extends Trees {
  write(fileSystemId: string, path: string, body: string, at: number): void;
  read(fileSystemId: string, path: string): string | undefined;
  /** The files below a path, by name. */
  list(fileSystemId: string, path: string): readonly string[];
  remove(fileSystemId: string, path: string): void;
}

interface MemoryFile {
  readonly body: string;
  readonly stamp: string;
}

interface MemoryFileSystem {
  readonly files: Map<string, MemoryFile>;
  readonly directories: Set<string>;
  /** What S3 has, by path: the stamp of the file as it was brought. */
  readonly known: Map<string, string>;
}

/** Trees without a disk. */
export function memoryTrees(buckets: Buckets): MemoryTrees {
  const fileSystems = new Map<string, MemoryFileSystem>();
  const listeners: ((fileSystemId: string) => void)[] = [];
  let writes = 0;

  const of = (fileSystemId: string): MemoryFileSystem => {
    const found = fileSystems.get(fileSystemId);
    if (found) return found;
    const made = { files: new Map(), directories: new Set(['/']), known: new Map() };
    fileSystems.set(fileSystemId, made);
    return made;
  };
  const tell = (fileSystemId: string) => {
    for (const listener of listeners) listener(fileSystemId);
  };
  const list = (fileSystemId: string, path: string) =>
    [...of(fileSystemId).files.keys()].filter((each) => isWithin(each, path)).sort();

  return {
    make: async (fileSystemId, path) => void of(fileSystemId).directories.add(path),
    has: async (fileSystemId, path) =>
      of(fileSystemId).directories.has(path) || list(fileSystemId, path).length > 0,
    async changed(fileSystemId, path) {
      const { files, known } = of(fileSystemId);
      return list(fileSystemId, path).flatMap((each) => {
        const stamp = files.get(each)?.stamp ?? '';
        return known.get(each) === stamp ? [] : [{ path: each, stamp }];
      });
    },
    async gone(fileSystemId, path) {
      const { files, known } = of(fileSystemId);
      return [...known.keys()].filter((each) => isWithin(each, path) && !files.has(each)).sort();
    },
    async bring(tie, path) {
      const { files, known } = of(tie.fileSystemId);
      const file = files.get(path);
      const key = keyOf(tie, path);
      if (!file) return { kind: 'vanished' };
      if (key === undefined) return { kind: 'failed', errorCode: 'PathSizeTooLong' };
      buckets.put(placeOf(tie.repositoryPath).bucket, key, file.body);
      known.set(path, file.stamp);
      return { kind: 'done' };
    },
    async erase(tie, path) {
      const { files, known } = of(tie.fileSystemId);
      const key = keyOf(tie, path);
      if (files.has(path) || !known.has(path) || key === undefined) return { kind: 'vanished' };
      buckets.remove(placeOf(tie.repositoryPath).bucket, key);
      known.delete(path);
      return { kind: 'done' };
    },
    async objects({ repositoryPath }) {
      const { bucket, prefix } = placeOf(repositoryPath);
      return buckets.list(bucket, prefix).map((key) => key.slice(prefix.length));
    },
    async fetch(tie, name) {
      const { bucket, prefix } = placeOf(tie.repositoryPath);
      const body = buckets.get(bucket, `${prefix}${name}`);
      if (body === undefined) return { kind: 'vanished' };
      const { files, known } = of(tie.fileSystemId);
      const path = `${tie.path === '/' ? '' : tie.path}/${name}`;
      const before = files.get(path);
      if (before && before.stamp !== known.get(path)) return { kind: 'done' };
      writes += 1;
      files.set(path, { body, stamp: `import.${writes}` });
      known.set(path, `import.${writes}`);
      return { kind: 'done' };
    },
    put: async (bucket, key, body) => buckets.put(bucket, key, body),
    drop: async (fileSystemId) => void fileSystems.delete(fileSystemId),
    onChange: (listener) => void listeners.push(listener),

    write(fileSystemId, path, body, at) {
      writes += 1;
      of(fileSystemId).files.set(path, { body, stamp: `${at}.${writes}` });
      tell(fileSystemId);
    },
    read: (fileSystemId, path) => of(fileSystemId).files.get(path)?.body,
    list,
    remove(fileSystemId, path) {
      of(fileSystemId).files.delete(path);
      tell(fileSystemId);
    },
  };
}

/** The local S3: objects by bucket and key, each whole or not there. */
export interface Buckets {
  put(bucket: string, key: string, body: string): void;
  get(bucket: string, key: string): string | undefined;
  /** Removes an object, if there is one. */
  remove(bucket: string, key: string): void;
  list(bucket: string, prefix: string): readonly string[];
}

/** Buckets that last as long as the process. */
export function memoryBuckets(): Buckets {
  const objects = new Map<string, string>();
  return {
    put: (bucket, key, body) => void objects.set(`${bucket}/${key}`, body),
    get: (bucket, key) => objects.get(`${bucket}/${key}`),
    remove: (bucket, key) => void objects.delete(`${bucket}/${key}`),
    list: (bucket, prefix) =>
      [...objects.keys()]
        .filter((name) => name.startsWith(`${bucket}/${prefix}`))
        .map((name) => name.slice(bucket.length + 1)),
  };
}

// A world as SQL for the tables of the real squid.
import type { World } from '../support/squid-world.ts';

const text = (value: string | null): string => (value === null ? 'null' : `'${value.replaceAll("'", "''")}'`);
const json = (value: unknown): string => `${text(JSON.stringify(value))}::jsonb`;

function insert(table: string, rows: readonly (readonly string[])[]): string {
  return rows.length === 0 ? '' : `insert into ${table} values ${rows.map((row) => `(${row.join()})`).join()};`;
}

/** To be run on empty tables. */
export function worldSql({ height, buckets, bags, storageBuckets = {} }: World): string {
  const bagEntries = Object.entries(bags);
  const named = bagEntries.flatMap(([, bag]) => bag.storageBuckets);
  const storage = new Set([...named, ...Object.keys(storageBuckets)]);
  const statusOf = (id: string) => {
    const isTypeOf = `StorageBucketOperatorStatus${storageBuckets[id]?.status ?? 'Missing'}`;
    return json({ isTypeOf, workerId: 1, transactorAccountId: 'a' });
  };
  const metadata = Object.entries(storageBuckets).filter(([, { endpoint }]) => endpoint !== undefined);
  const objects = bagEntries.flatMap(([bag, { objects: members }]) =>
    Object.entries(members).map(([id, object]) => ({ bag, id, ...object })),
  );
  const typeOf = (id: string, subtitle: string | null | undefined) =>
    subtitle === undefined ? 'null' : json({ isTypeOf: 'DataObjectTypeVideoSubtitle', subtitle: `s${id}` });
  const operators = Object.entries(buckets).flatMap(([id, { active, invited }]) => [
    ...active.map((worker) => [id, worker, 'ACTIVE'] as const),
    ...invited.map((worker) => [id, worker, 'INVITED'] as const),
  ]);
  return [
    insert('squid_processor.status (id, height)', height === null ? [] : [['0', String(height)]]),
    insert(
      'storage_bag',
      bagEntries.map(([id]) => [text(id)]),
    ),
    insert(
      'video_subtitle',
      objects.flatMap(({ id, subtitle }) => (subtitle ? [[text(`s${id}`), text(subtitle)]] : [])),
    ),
    insert(
      'storage_data_object (id, is_accepted, size, ipfs_hash, type, storage_bag_id)',
      objects.map(({ id, bag, accepted, size, hash, subtitle }) => [
        ...[text(id), String(accepted), size, text(hash), typeOf(id, subtitle), text(bag)],
      ]),
    ),
    insert(
      'storage_bucket',
      [...storage].map((id) => [text(id), statusOf(id)]),
    ),
    insert(
      'storage_bucket_operator_metadata',
      metadata.map(([id, { endpoint }]) => [text(`m${id}`), text(id), text(endpoint ?? null)]),
    ),
    insert(
      'storage_bucket_bag',
      bagEntries.flatMap(([bag, { storageBuckets: members }]) =>
        members.map((id) => [text(`${id}-${bag}`), text(id), text(bag)]),
      ),
    ),
    insert(
      'distribution_bucket',
      Object.entries(buckets).map(([id, { distributing }]) => [
        text(id),
        id.split(':')[1] ?? '0',
        String(distributing),
        'true',
      ]),
    ),
    insert(
      'distribution_bucket_operator',
      operators.map(([id, worker, status]) => [text(`${id}-${worker}`), text(id), String(worker), text(status)]),
    ),
    insert(
      'distribution_bucket_bag',
      bagEntries.flatMap(([bag, { distributionBuckets }]) =>
        distributionBuckets.map((id) => [text(`${id}-${bag}`), text(id), text(bag)]),
      ),
    ),
  ].join('\n');
}

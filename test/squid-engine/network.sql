-- A made-up network of any size. Variables of psql: bags, objects, buckets, workers.
insert into squid_processor.status (id, height, hash) values (0, 1000, '0x00');

insert into storage_bucket
  select n, jsonb_build_object('isTypeOf', 'StorageBucketOperatorStatusActive', 'workerId', n, 'transactorAccountId', 'a' || n)
  from generate_series(0, 9) n;
insert into storage_bucket_operator_metadata
  select n, n, case when n < 9 then 'https://' || n || '.storage.example/' end from generate_series(0, 9) n;

-- Bucket n belongs to worker n modulo the number of workers.
insert into distribution_bucket
  select n % 3 || ':' || n / 3, n / 3, true, true from generate_series(0, :buckets - 1) n;
insert into distribution_bucket_operator
  select n % 3 || ':' || n / 3 || '-' || n % :workers, n % 3 || ':' || n / 3, n % :workers, 'ACTIVE'
  from generate_series(0, :buckets - 1) n;

insert into storage_bag select 'dynamic:channel:' || n from generate_series(1, :bags) n;
-- Each bag is in five storage buckets and three distribution buckets.
insert into storage_bucket_bag
  select (n + k) % 10 || '-dynamic:channel:' || n, (n + k) % 10, 'dynamic:channel:' || n
  from generate_series(1, :bags) n, generate_series(0, 4) k;
insert into distribution_bucket_bag
  select b % 3 || ':' || b / 3 || '-dynamic:channel:' || n, b % 3 || ':' || b / 3, 'dynamic:channel:' || n
  from generate_series(1, :bags) n, generate_series(0, 2) k, lateral (select (n + k) % :buckets as b) as place;

insert into video_subtitle select n, 'text/vtt' from generate_series(1, :objects / 100) n;
-- Bags differ in size: the first are large.
insert into storage_data_object (id, created_at, is_accepted, size, ipfs_hash, type, storage_bag_id)
  select n, now(), n % 50 <> 0, 1000 + n::bigint * 7919 % 100000000,
    'gW' || translate(rpad(md5(n::text) || md5(n::text || 'b'), 44, 'x'), '0', 'z'),
    case when n % 100 = 0
      then jsonb_build_object('isTypeOf', 'DataObjectTypeVideoSubtitle', 'subtitle', (n / 100)::text) end,
    'dynamic:channel:' || 1 + floor(:bags * power((n * 0.6180339887498949) % 1, 1.5))
  from generate_series(1, :objects) n;
analyze;

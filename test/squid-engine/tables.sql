-- The tables of schema.graphql, as the squid's own migrations lay them out, and the status of its processor.
create schema squid_processor;
create table squid_processor.status (id int primary key, height int not null, hash text, nonce int default 0);
create table squid_processor.hot_block (height int primary key, hash text not null);

create table storage_bag (id varchar primary key);
create table video_subtitle (id varchar primary key, mime_type text not null);
create table storage_data_object (
  id varchar primary key,
  created_at timestamptz not null default now(),
  is_accepted bool not null,
  size numeric not null,
  ipfs_hash text not null,
  type jsonb,
  storage_bag_id varchar references storage_bag
);
create index on storage_data_object (storage_bag_id);

create table storage_bucket (id varchar primary key, operator_status jsonb not null);
create table storage_bucket_operator_metadata (
  id varchar primary key,
  storage_bucket_id varchar unique references storage_bucket,
  node_endpoint text
);
create table storage_bucket_bag (
  id varchar primary key,
  storage_bucket_id varchar references storage_bucket,
  bag_id varchar references storage_bag
);
create index on storage_bucket_bag (bag_id);
create unique index on storage_bucket_bag (storage_bucket_id, bag_id);

create table distribution_bucket (
  id varchar primary key,
  bucket_index int not null,
  distributing bool not null,
  accepting_new_bags bool not null
);
create table distribution_bucket_operator (
  id varchar primary key,
  distribution_bucket_id varchar references distribution_bucket,
  worker_id int not null,
  status varchar(7) not null
);
create index on distribution_bucket_operator (distribution_bucket_id);
create table distribution_bucket_bag (
  id varchar primary key,
  distribution_bucket_id varchar references distribution_bucket,
  bag_id varchar references storage_bag
);
create index on distribution_bucket_bag (bag_id);
create unique index on distribution_bucket_bag (distribution_bucket_id, bag_id);

-- What can be shown, played and paid: branches, auditoriums, layouts, movies, themes and price policies.
-- `version` tells the layouts of one auditorium apart; it is 0 for everything else.

create table read_models.catalogue (
  kind          text collate "C" not null,
  id            uuid not null,
  version       bigint not null,
  branch        uuid,
  name          text not null,
  active        boolean not null,
  details       json not null,
  from_position bigint not null,
  primary key (kind, id, version)
);

create index catalogue_by_branch on read_models.catalogue (branch, kind) where branch is not null;

create table read_models.catalogue_history (
  kind           text collate "C" not null,
  id             uuid not null,
  version        bigint not null,
  branch         uuid,
  name           text not null,
  active         boolean not null,
  details        json not null,
  from_position  bigint not null,
  until_position bigint not null,
  primary key (kind, id, version, from_position)
);

call read_models.hand_over();

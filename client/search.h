/*
 * search - which records hold a text, with diacritics or without, the best hits first.
 *
 * The entries of the vault (find.h) say where to look; every hit is then asked of the record
 * itself, and only what it says counts. Deleted records are left out, and those only cleared
 * devices may have (design section 8: restricted data never appears in searches).
 */
#pragma once

#include "client/vault.h"
#include "common/model/schema.h"

struct search {
	struct vault *vault;
	const struct schema *schema;
	struct bytes text;
	struct bytes type; /* empty: all */
	size_t limit;      /* hits that are told, at most */
};

/* Told of each hit: by rank, and within a rank in the order of ids. Stops at the first error. */
enum err search_run(const struct search *s, vault_record_fn fn, void *arg);

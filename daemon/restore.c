#define LOG_TAG "restore"

#include "daemon/restore.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/folder.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "daemon/backup_check.h"
#include "daemon/backup_key.h"
#include "daemon/context.h"
#include "daemon/epochs.h"
#include "daemon/erasures.h"
#include "daemon/keys.h"
#include "daemon/store_sql.h"

/* ---- the key ---- */

static enum err find_pair(const struct restore *r, struct box_pair *ret_pair)
{
	AUTO(mem_free) char *path = mem_strdup(r->backup);
	char *folder;
	enum err e;

	if (r->key != NULL)
		return backup_read_pair(r->key, ret_pair);
	folder = dirname(path);
	e = backup_read_pair_of(folder, ret_pair);
	/* STATE/backup/FILE and STATE/backup.key. */
	if (e == ERR_NOTFOUND)
		e = backup_read_pair_of(dirname(folder), ret_pair);
	if (e == ERR_NOTFOUND)
		e = err_raise(e, "no " BACKUP_KEY_FILE " beside the backup: name it with --key");
	return e;
}

static enum err find_key(const struct restore *r, struct box_public *ret_to,
			 uint8_t ret_key[BOX_KEY_LEN])
{
	uint8_t header[BOX_HEADER_LEN];
	char hex[BOX_HEX_LEN];
	struct box_pair pair;
	enum err e = archive_read_header(r->backup, header);

	if (e == ERR_OK)
		e = box_read_header(header, ret_to);
	if (e == ERR_OK)
		e = find_pair(r, &pair);
	if (e != ERR_OK)
		return e;
	e = box_find_key(header, &pair, ret_key);
	crypt_wipe(&pair, sizeof pair);
	box_public_print(ret_to, hex);
	return e == ERR_AUTH ? err_raise(e, "it is sealed to the key %s, this is another one", hex)
			     : e;
}

/* ---- a new epoch ---- */

static enum err raise_devices(struct store *store)
{
	/* It holds, and is, a verified backup. */
	static const char text[] = "UPDATE device SET backed_up = last_number";
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(store, text, &q);

	return e == ERR_OK ? sql_run(q) : e;
}

static enum err put_audit(const struct restore *r, struct store *store,
			  const struct restored *restored)
{
	AUTO(arena_clear) struct arena a = {0};
	char before[ID_HEX_LEN];
	char after[ID_HEX_LEN];

	id_print(&restored->epoch_before, before);
	id_print(&restored->epoch, after);
	return store_put_audit(
		store, clock_wall_ms(r->clock), bytes_str(r->who), BYTES_LIT("restore"),
		arena_printf(&a, "{\"log\":%" PRIu64 ",\"epoch_before\":\"%s\",\"epoch\":\"%s\"}",
			     restored->log, before, after));
}

static enum err apply_list(struct store *store, const struct keys *keys, const char *path,
			   struct restored *restored)
{
	uint64_t erased = 0;
	enum err e = erasures_apply(store, path, &keys->daemon, &keys->sign.public_key, &erased);

	if (e == ERR_OK) {
		restored->has_erasures = true;
		restored->erased += erased;
	}
	return e;
}

static enum err apply_in(struct store *store, const struct keys *keys, const char *folder,
			 struct restored *restored)
{
	char path[KEYS_PATH_LEN];

	if ((size_t)snprintf(path, sizeof path, "%s/" ERASURES_FILE, folder) >= sizeof path)
		return err_raise(ERR_INVAL, "path too long: %s", folder);
	return apply_list(store, keys, path, restored);
}

/*
 * What the law had erased since the backup: by the list that was named, and by the one beside it,
 * or one folder up, like its key. Each may know of erasures that the other does not.
 */
static enum err erase_again(const struct restore *r, struct store *store, const char *folder,
			    struct restored *restored)
{
	AUTO(mem_free) char *path = mem_strdup(r->backup);
	struct keys keys;
	char *beside;
	enum err e = keys_open(folder, r->clock, r->rand, &keys);

	if (e != ERR_OK)
		return e;
	if (r->erasures != NULL)
		e = apply_list(store, &keys, r->erasures, restored);
	if (e == ERR_OK) {
		beside = dirname(path);
		e = apply_in(store, &keys, beside, restored);
		if (e == ERR_NOTFOUND)
			e = apply_in(store, &keys, dirname(beside), restored);
		if (e == ERR_NOTFOUND)
			e = ERR_OK;
	}
	keys_close(&keys);
	return e;
}

static enum err change(const struct restore *r, struct store *store, const char *folder,
		       struct restored *restored)
{
	enum err e = epochs_begin(store, restored->log, r->clock, r->rand, &restored->epoch_before,
				  &restored->epoch);

	if (e == ERR_OK)
		e = raise_devices(store);
	if (e == ERR_OK)
		e = erase_again(r, store, folder, restored);
	return e == ERR_OK ? put_audit(r, store, restored) : e;
}

static enum err change_store(const struct restore *r, const char *folder, struct restored *restored)
{
	AUTO(store_close) struct store *store = NULL;
	char path[KEYS_PATH_LEN];
	enum err e;

	if ((size_t)snprintf(path, sizeof path, "%s/" ARCHIVE_STORE, folder) >= sizeof path)
		return err_raise(ERR_INVAL, "path too long: %s", folder);
	e = store_open_writer(path, NULL, &store);
	if (e == ERR_OK)
		e = store_begin(store);
	if (e != ERR_OK)
		return e;
	e = change(r, store, folder, restored);
	if (e == ERR_OK)
		e = store_commit(store);
	else
		store_rollback(store);
	return e == ERR_OK ? store_checkpoint(store) : e;
}

/* The next backups go to the same recipient; the secret stays where it is. */
static enum err put_recipient(const char *folder, const struct box_public *to)
{
	char hex[BOX_HEX_LEN + 1];

	box_public_print(to, hex);
	hex[BOX_HEX_LEN - 1] = '\n';
	return keys_write_file(folder, BACKUP_PUBLIC_FILE, bytes_of(hex, BOX_HEX_LEN));
}

static enum err read_daemon(const char *folder, struct id *ret_daemon)
{
	char path[KEYS_PATH_LEN];
	char text[ID_HEX_LEN] = "";
	FILE *f;
	size_t len;

	if ((size_t)snprintf(path, sizeof path, "%s/id", folder) >= sizeof path)
		return err_raise(ERR_INVAL, "path too long: %s", folder);
	f = fopen(path, "re");
	if (f == NULL)
		return err_raise(ERR_INVAL, "the backup holds no id: %s", strerror(errno));
	len = fread(text, 1, ID_HEX_LEN - 1, f);
	(void)fclose(f);
	return id_parse(bytes_of(text, len), ret_daemon);
}

/* ---- the whole ---- */

static enum err unpack(const struct restore *r, const char *folder, struct restored *restored)
{
	AUTO(arena_clear) struct arena a = {0};
	const struct context ctx = {
		.clock = r->clock, .rand = r->rand, .state = folder, .schema = NULL};
	struct backup_checked checked;
	struct box_public to;
	uint8_t key[BOX_KEY_LEN];
	enum err e = find_key(r, &to, key);

	const struct backup_order order = {
		.path = r->backup, .key = key, .folder = folder, .is_kept = true};

	if (e == ERR_OK)
		e = backup_check(&ctx, &order, &a, &checked);
	crypt_wipe(key, sizeof key);
	if (e != ERR_OK)
		return e;
	restored->log = checked.log;
	restored->records = checked.records;
	restored->devices = checked.device_count - 1; /* the office is one */
	e = read_daemon(folder, &restored->daemon);
	if (e == ERR_OK)
		e = change_store(r, folder, restored);
	if (e == ERR_OK)
		e = put_recipient(folder, &to);
	return e;
}

static enum err sync_folder(const char *path)
{
	const int failed = folder_sync(path);

	return failed == 0 ? ERR_OK : err_raise(ERR_FULL, "fsync %s: %s", path, strerror(failed));
}

/* Whole, and its names on the disk, or nothing stands under the name. */
static enum err move(const char *from, const char *to)
{
	AUTO(mem_free) char *copy = mem_strdup(to);
	enum err e = sync_folder(from);

	if (e != ERR_OK)
		return e;
	if (rename(from, to) != 0)
		return err_raise(ERR_FULL, "rename %s: %s", to, strerror(errno));
	e = sync_folder(dirname(copy));
	/* A disk without room may have none for the name before either. */
	if (e != ERR_OK && rename(to, from) != 0)
		archive_remove_folder(to);
	return e;
}

enum err restore_run(const struct restore *r, struct restored *ret_restored)
{
	struct restored restored = {0};
	char folder[KEYS_PATH_LEN];
	struct stat st;
	enum err e;

	if (lstat(r->state, &st) == 0)
		return err_raise(ERR_CONFLICT, "%s exists: name a folder that does not", r->state);
	if ((size_t)snprintf(folder, sizeof folder, "%s.part", r->state) >= sizeof folder)
		return err_raise(ERR_INVAL, "path too long: %s", r->state);
	/* Of a restore that was killed. */
	if (lstat(folder, &st) == 0 && S_ISDIR(st.st_mode))
		archive_remove_folder(folder);
	e = unpack(r, folder, &restored);
	if (e == ERR_OK)
		e = move(folder, r->state);
	if (e != ERR_OK) {
		archive_remove_folder(folder);
		return e;
	}
	*ret_restored = restored;
	return ERR_OK;
}

/*
 * agent - a small process that holds the unwrapped key for a while.
 *
 * `ctxh unlock` starts it; it listens on HOME/agent.sock (0600) and gives the key to
 * processes of the same user only. Its memory is locked and never dumped. It ends
 * after ten minutes without a question (time asleep counts), and at `ctxh lock`.
 */
#pragma once

#include "common/base/crypt.h"

#define AGENT_SOCKET  "agent.sock"
#define AGENT_IDLE_MS 600000

/*
 * Leaves a process behind that holds `key`; an agent that was there ends first.
 * CTXH_AGENT_IDLE_MS shortens the wait, for tests.
 */
enum err agent_start(const char *home, const uint8_t key[SEAL_KEY_LEN]);
/* ERR_NOTFOUND: no agent there. */
enum err agent_ask(const char *home, uint8_t ret_key[SEAL_KEY_LEN]);
/* ERR_NOTFOUND: no agent there. */
enum err agent_stop(const char *home);

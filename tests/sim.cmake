# The whole system in one program: the daemon's data side and several clients.
add_library(sim_system_parts OBJECT
  sim/sim_system.c sim/world.c sim/link.c sim/people.c sim/oracle.c)
target_link_libraries(sim_system_parts PUBLIC client daemon)
# Commits of the vaults can be made to fail, before or after they happened.
target_link_options(sim_system_parts PUBLIC LINKER:--wrap=vault_commit)

add_executable(sim_system)
target_link_libraries(sim_system PRIVATE sim_system_parts)

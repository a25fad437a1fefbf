ctxh_test(config LINK daemon)
ctxh_test(registry LINK daemon)
ctxh_test(peers LINK daemon)
ctxh_test(writer LINK daemon)
ctxh_test(http LINK daemon)
ctxh_test(framing LINK daemon)

find_program(PYTHON3 python3 REQUIRED)
add_test(NAME integration.hostile
  COMMAND ${PYTHON3} ${CMAKE_CURRENT_SOURCE_DIR}/integration/hostile.py --bin ${CMAKE_BINARY_DIR}/bin)
set_tests_properties(integration.hostile PROPERTIES LABELS integration TIMEOUT 300
  ENVIRONMENT "PYTHONDONTWRITEBYTECODE=1")

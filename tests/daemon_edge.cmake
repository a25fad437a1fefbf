ctxh_test(config LINK daemon)
ctxh_test(journal LINK daemon)
ctxh_test(registry LINK daemon)
ctxh_test(peers LINK daemon)
ctxh_test(writer LINK daemon)
ctxh_test(http LINK daemon)
ctxh_test(http_deadlines LINK daemon)
ctxh_test(http_stream LINK daemon)
ctxh_test(framing LINK daemon)
ctxh_test(role LINK daemon)
ctxh_test(password LINK daemon)
ctxh_test(login LINK daemon)
ctxh_test(lockout LINK daemon)
ctxh_test(web_files LINK daemon)
ctxh_test(child LINK daemon)
ctxh_test(alert LINK daemon)
ctxh_test(alert_sender LINK ground)
ctxh_test(alert_file LINK daemon)
target_link_options(test_alert_file PRIVATE LINKER:--wrap=fsync LINKER:--wrap=rename)
ctxh_test(trend LINK daemon)

find_program(PYTHON3 python3 REQUIRED)
add_test(NAME integration.hostile
  COMMAND ${PYTHON3} ${CMAKE_CURRENT_SOURCE_DIR}/integration/hostile.py --bin ${CMAKE_BINARY_DIR}/bin)
set_tests_properties(integration.hostile PROPERTIES LABELS integration TIMEOUT 3600
  ENVIRONMENT "PYTHONDONTWRITEBYTECODE=1")

# How much of the machine the service could reach if it were taken over: 2.0 at most (of 10).
find_program(SYSTEMD_ANALYZE systemd-analyze)
if(SYSTEMD_ANALYZE)
  add_test(NAME lint.service
    COMMAND ${SYSTEMD_ANALYZE} security --offline=true --threshold=20 ${CMAKE_BINARY_DIR}/systemd/ctxhd.service)
  set_tests_properties(lint.service PROPERTIES LABELS lint)
endif()

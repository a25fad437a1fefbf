ctxh_test(schema LINK model)
ctxh_test(schema_shipped LINK model)
ctxh_test(schema_compile LINK model)
ctxh_test(validate LINK model)
ctxh_test(validate_typed LINK model)
ctxh_fuzz(schema LINK model)

# Every indicator over a small province with known figures.
add_test(NAME lint.indicators
  COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/lint/indicators.py ${PROJECT_SOURCE_DIR})
set_tests_properties(lint.indicators PROPERTIES LABELS lint)
